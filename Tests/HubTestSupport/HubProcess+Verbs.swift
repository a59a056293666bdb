import Foundation

extension HubProcess {
    /// Runs a verb on the hub's data folder, as an operator would.
    package func verb(_ words: String..., input: String? = nil, seconds: Int = 120) throws -> CommandOutput {
        try CommandOutput.of(
            [Self.binary ?? "csghub"] + words + ["--data", data], environment: Self.environment, input: input,
            seconds: seconds)
    }

    /// Runs a verb that must succeed.
    ///
    /// Returns the first line that it printed.
    @discardableResult
    package func run(_ words: String...) throws -> String {
        let output = try CommandOutput.of(
            [Self.binary ?? "csghub"] + words + ["--data", data], environment: Self.environment)
        guard output.succeeded else { throw CommandFailure(words: words, output: output) }
        return output.line
    }

    /// Creates an account, and a client that works as that account with a token of the scope.
    package func client(_ account: String, isAdministrator: Bool = false, scope: String = "write") throws -> GitClient {
        if try !verb("account", "list", "--json").stdout.contains("\"\(account)\"") {
            try run(["account", "create", account] + (isAdministrator ? ["--admin"] : []))
        }
        let token = try run("token", "create", "--account", account, "--scope", scope)
        return try GitClient(hub: self, account: account, password: token)
    }

    private func run(_ words: [String]) throws {
        let output = try CommandOutput.of(
            [Self.binary ?? "csghub"] + words + ["--data", data], environment: Self.environment)
        guard output.succeeded else { throw CommandFailure(words: words, output: output) }
    }

    /// The address of a repository, `models/ada/bert`.
    package func address(_ repository: String) -> String { "\(url)/\(repository).git" }
}

/// An answer of the hub to a request by curl.
package struct HTTPAnswer: CustomStringConvertible {
    package let status: Int
    /// Names in lower case.
    package let headers: [String: String]
    package let body: String
    package var description: String { "\(status) \(headers) \(body.prefix(2000))" }
}

extension HubProcess {
    /// Sends a request with curl.
    ///
    /// `arguments` are further words for it.
    package func http(_ path: String, _ arguments: String..., seconds: Int = 60) throws -> HTTPAnswer {
        try http(path, arguments, seconds: seconds)
    }

    /// Sends a request with curl.
    ///
    /// `arguments` are further words for it. The body is kept in memory unless they name an `--output`.
    package func http(_ path: String, _ arguments: [String], seconds: Int = 60) throws -> HTTPAnswer {
        let files = try TemporaryFolder("http")
        let trust = usesTLS ? ["--cacert", certificate] : []
        let target = path.hasPrefix("http") ? path : url + path
        let output = try CommandOutput.of(
            [
                "curl", "--silent", "--show-error", "--globoff", "--path-as-is", "--dump-header", files.file("head"),
                "--write-out", "%{http_code}",
            ] + (arguments.contains("--output") ? [] : ["--output", files.file("body")]) + trust + arguments + [target],
            environment: Self.environment, seconds: seconds)
        let head = String(decoding: FileManager.default.contents(atPath: files.file("head")) ?? Data(), as: UTF8.self)
        var headers: [String: String] = [:]
        for line in head.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        let body = FileManager.default.contents(atPath: files.file("body")) ?? Data()
        return HTTPAnswer(status: Int(output.line) ?? 0, headers: headers, body: String(decoding: body, as: UTF8.self))
    }
}
