import Foundation

/// What a command left behind when it ended.
package struct CommandOutput: Sendable, CustomStringConvertible {
    /// The exit status; 124 when it ran out of time, 128 + N when signal N ended it.
    package let status: Int32
    package let stdout: String
    package let stderr: String

    package var succeeded: Bool { status == 0 }
    /// What a person at a terminal would have seen.
    package var text: String { stdout + stderr }
    /// The first line of stdout, for commands that print one thing.
    package var line: String { stdout.split(separator: "\n").first.map(String.init) ?? "" }
    package var description: String { "status \(status)\n\(text)" }
}

/// A command that runs beside the test.
///
/// Its words go to the system as they are, never through a shell.
///
/// It gets its own process group by way of `timeout`, which ends the whole group when the time is over.
package final class RunningCommand {
    private let process = Process()
    private let outputs: TemporaryFolder

    /// Starts the command.
    ///
    /// `words[0]` is looked up in `PATH`.
    ///
    /// - Parameters:
    ///   - folder: the working folder.
    ///   - environment: the whole environment of the command.
    ///   - input: a file that becomes its standard input; none is an empty one.
    ///   - seconds: after these it is killed, and its status is 124 or 137.
    package init(
        _ words: [String], in folder: String, environment: [String: String], input: String? = nil, seconds: Int = 120
    ) throws {
        outputs = try TemporaryFolder("output")
        for name in ["out", "err"] { try Data().write(to: URL(filePath: outputs.file(name))) }
        process.executableURL = URL(filePath: "/usr/bin/env")
        // A shell starts what runs beside it with SIGINT ignored, and what is ignored is inherited.
        process.arguments = ["--default-signal=INT", "timeout", "--kill-after=5", "\(seconds)"] + words
        process.currentDirectoryURL = URL(filePath: folder, directoryHint: .isDirectory)
        process.environment = environment
        process.standardInput = FileHandle(forReadingAtPath: input ?? "/dev/null")
        process.standardOutput = FileHandle(forWritingAtPath: outputs.file("out"))
        process.standardError = FileHandle(forWritingAtPath: outputs.file("err"))
        try process.runHearingSignals()
    }

    /// Waits for the end.
    @discardableResult
    package func finish() -> CommandOutput {
        process.waitUntilExit()
        let killed = process.terminationReason == .uncaughtSignal
        return CommandOutput(
            status: process.terminationStatus + (killed ? 128 : 0), stdout: text("out"), stderr: text("err"))
    }

    package var isRunning: Bool { process.isRunning }
    /// What it has printed so far, both streams.
    package var textSoFar: String { text("out") + text("err") }

    /// Sends a signal to `timeout`, which passes it on to the command's group.
    package func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    private func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: outputs.file(name)) ?? Data(), as: UTF8.self)
    }
}

extension Process {
    /// Starts the process so that it hears every signal.
    ///
    /// Tests run on threads of the system's pool, which block all signals, and a new process inherits what its maker's thread
    /// blocks: neither Ctrl-C nor SIGTERM would reach it.
    func runHearingSignals() throws {
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try run()
    }
}

extension CommandOutput {
    /// Runs a command to its end.
    package static func of(
        _ words: [String], in folder: String = "/", environment: [String: String] = ProcessInfo.processInfo.environment,
        input: String? = nil, seconds: Int = 120
    ) throws -> CommandOutput {
        try RunningCommand(words, in: folder, environment: environment, input: input, seconds: seconds).finish()
    }
}

/// A command that should have succeeded did not.
package struct CommandFailure: Error, CustomStringConvertible {
    package let words: [String]
    package let output: CommandOutput

    package init(words: [String], output: CommandOutput) {
        self.words = words
        self.output = output
    }

    package var description: String { words.joined(separator: " ") + ": " + output.description }
}
