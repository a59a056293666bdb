import Foundation

/// A person's machine: stock git and git-lfs with a home folder, the hub's certificate and a token.
package struct GitClient {
    package let hub: HubProcess
    package let account: String
    package let password: String
    package let folder: TemporaryFolder

    package init(hub: HubProcess, account: String, password: String) throws {
        self.hub = hub
        self.account = account
        self.password = password
        folder = try TemporaryFolder("client")
        let configuration = """
            [user]
                name = \(account)
                email = \(account)@example.org
            [init]
                defaultBranch = main
            [http]
                sslCAInfo = \(hub.certificate)
            [credential]
                helper = "!f() { test \\"$1\\" = get && printf 'username=\(account)\\\\npassword=\(password)\\\\n'; }; f"
            [gc]
                auto = 0
            [lfs]
                locksverify = false
                concurrenttransfers = 8
            [filter "lfs"]
                clean = git-lfs clean -- %f
                smudge = git-lfs smudge -- %f
                process = git-lfs filter-process
                required = true

            """
        try configuration.write(toFile: folder.file(".gitconfig"), atomically: true, encoding: .utf8)
    }

    package var environment: [String: String] {
        [
            "HOME": folder.path, "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8", "GIT_ASKPASS": "/bin/false",
            "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
        ]
    }

    /// Runs git to its end, whatever that is.
    package func attempt(
        _ words: [String], in folder: String? = nil, input: String? = nil, variables: [String: String] = [:],
        seconds: Int = 120
    ) throws -> CommandOutput {
        try start(words, in: folder, input: input, variables: variables, seconds: seconds).finish()
    }

    /// Runs git, which must succeed.
    ///
    /// Returns what it printed to stdout, without the last line's end.
    @discardableResult
    package func git(
        _ words: String..., in folder: String? = nil, input: String? = nil, variables: [String: String] = [:],
        seconds: Int = 120
    ) throws -> String {
        let output = try attempt(words, in: folder, input: input, variables: variables, seconds: seconds)
        guard output.succeeded else { throw CommandFailure(words: ["git"] + words, output: output) }
        return output.stdout.trimmingCharacters(in: .newlines)
    }

    /// Starts git beside the test.
    package func start(
        _ words: [String], in folder: String? = nil, input: String? = nil, variables: [String: String] = [:],
        seconds: Int = 120
    ) throws -> RunningCommand {
        try RunningCommand(
            ["git"] + words, in: folder ?? self.folder.path,
            environment: environment.merging(variables) { _, new in new },
            input: input, seconds: seconds)
    }
}

extension GitClient {
    /// Creates a repository on the hub and a working copy with one commit that is not pushed yet.
    package func repository(
        _ name: String, kind: String = "model", files: [String: String] = ["README.md": "# Model\n"]
    )
        throws -> WorkingCopy
    {
        try hub.run("repository", "create", kind, name)
        let copy = try WorkingCopy(client: self, path: folder.folder(name.replacing("/", with: "-")))
        try copy.git("init", "--quiet")
        try copy.git("remote", "add", "origin", hub.address("\(kind)s/\(name)"))
        try copy.commit(files, message: "Begin")
        return copy
    }

    /// Clones into a new folder.
    package func clone(
        _ repository: String, flags: [String] = [], to name: String, variables: [String: String] = [:],
        seconds: Int = 300
    ) throws -> WorkingCopy {
        let path = folder.file(name)
        let words = ["clone", "--quiet"] + flags + [hub.address(repository), path]
        let output = try attempt(words, variables: variables, seconds: seconds)
        guard output.succeeded else { throw CommandFailure(words: ["git"] + words, output: output) }
        return try WorkingCopy(client: self, path: path)
    }
}

/// A folder with a git repository of a client.
package struct WorkingCopy {
    package let client: GitClient
    package let path: String

    package init(client: GitClient, path: String) throws {
        self.client = client
        self.path = path
    }

    @discardableResult
    package func git(_ words: String..., input: String? = nil, variables: [String: String] = [:], seconds: Int = 300)
        throws -> String
    {
        let output = try attempt(words, input: input, variables: variables, seconds: seconds)
        guard output.succeeded else { throw CommandFailure(words: ["git"] + words, output: output) }
        return output.stdout.trimmingCharacters(in: .newlines)
    }

    /// Runs git to its end, whatever that is.
    package func attempt(_ words: [String], input: String? = nil, variables: [String: String] = [:], seconds: Int = 300)
        throws -> CommandOutput
    {
        try client.attempt(words, in: path, input: input, variables: variables, seconds: seconds)
    }

    package func start(_ words: [String], seconds: Int = 300) throws -> RunningCommand {
        try client.start(words, in: path, seconds: seconds)
    }

    /// Writes files and commits them.
    ///
    /// Returns the commit's id.
    @discardableResult
    package func commit(_ files: [String: String], message: String) throws -> String {
        for (name, text) in files {
            let url = URL(filePath: path + "/" + name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: url, atomically: true, encoding: .utf8)
        }
        try git("add", "--all")
        try git("commit", "--quiet", "--allow-empty", "--message", message)
        return try git("rev-parse", "HEAD")
    }

    package func file(_ name: String) -> String { path + "/" + name }
}
