import Foundation

/// Runs the real `git`, against which the store is compared.
struct GitCommand {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The repository, bare or not.
    let folder: String

    /// Standard output of `git <arguments>`.
    @discardableResult
    func run(_ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]) throws -> [UInt8] {
        let scratch = try TemporaryFolder()
        let (inputPath, outputPath, errorPath) = (scratch.path + "/in", scratch.path + "/out", scratch.path + "/err")
        for (path, bytes) in [(inputPath, input), (outputPath, []), (errorPath, [])] {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git"] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(Self.environment) { $1 }.merging(environment)
        { $1 }
        process.standardInput = FileHandle(forReadingAtPath: inputPath)
        process.standardOutput = FileHandle(forWritingAtPath: outputPath)
        process.standardError = FileHandle(forWritingAtPath: errorPath)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let message = String(decoding: try Data(contentsOf: URL(fileURLWithPath: errorPath)), as: UTF8.self)
            throw Failure(
                description: "git \(arguments.joined(separator: " ")): \(process.terminationStatus) \(message)")
        }
        return Array(try Data(contentsOf: URL(fileURLWithPath: outputPath)))
    }

    @discardableResult
    func callAsFunction(_ arguments: String..., input: [UInt8] = []) throws -> [UInt8] {
        try run(arguments, input: input)
    }

    /// The output's lines.
    func lines(_ arguments: String...) throws -> [String] { try lines(arguments) }

    func lines(_ arguments: [String]) throws -> [String] {
        String(decoding: try run(arguments), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static let environment = [
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_AUTHOR_DATE": "1700000000 +0000",
        "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com", "GIT_COMMITTER_DATE": "1700000000 +0000",
    ]
}

/// A folder that is removed with its last reference.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/git-store-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // What stays behind lies in the system's folder for temporary files.
        try? FileManager.default.removeItem(atPath: path)
    }
}
