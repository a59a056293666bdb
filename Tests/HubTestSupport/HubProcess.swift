import Foundation

/// A hub of the executable under test, on a free port of this machine and with a data folder of its own.
///
/// It ends with the object. `CSGHUB_BINARY` names the executable.
package final class HubProcess {
    /// The executable under test; nil when the tests run without one.
    package static let binary = ProcessInfo.processInfo.environment["CSGHUB_BINARY"]

    package let folder: TemporaryFolder
    package let port: Int
    package let usesTLS: Bool
    /// The data folder.
    package let data: String
    package var url: String { "\(usesTLS ? "https" : "http")://127.0.0.1:\(port)" }
    /// The certificate of the site CA that the hub made at its first start.
    package var certificate: String { data + "/tls/ca.pem" }

    private var process: Process?
    private var identifierFile: String { folder.path + "/pid" }
    private var logFile: String { folder.path + "/hub.log" }

    /// Makes the data folder; `start` does the rest.
    ///
    /// - Parameters:
    ///   - folder: where everything of the hub lies; its own temporary folder unless given.
    ///   - data: the data folder's name in it.
    package init(tls: Bool = false, in folder: TemporaryFolder? = nil, data: String = "data") throws {
        let folder = try folder ?? TemporaryFolder("hub")
        self.folder = folder
        self.data = folder.file(data)
        port = try Self.freePort()
        usesTLS = tls
    }

    deinit { kill() }

    /// A started hub.
    package static func started(tls: Bool = false, flags: [String] = []) throws -> HubProcess {
        let hub = try HubProcess(tls: tls)
        try hub.start(flags: flags)
        return hub
    }

    /// Starts the hub and waits until it answers.
    ///
    /// - Parameters:
    ///   - wrapper: words before the executable's path, such as `strace` with its flags. They must end by executing it.
    ///   - executable: the path of the executable as the wrapper sees it.
    package func start(
        flags: [String] = [], wrapper: [String] = [], executable: String? = nil, waiting: Bool = true
    ) throws {
        let path = try executable ?? Self.requireBinary()
        let serve =
            [path, "serve", "--data", data, "--listen", "127.0.0.1:\(port)"] + (usesTLS ? [] : ["--tls", "off"])
        try start(words: wrapper + serve + flags)
        if waiting { try waitUntilReady() }
    }

    /// Starts any command that ends by executing the hub; the port and data folder are what it makes of them.
    package func start(words: [String]) throws {
        // A file from an earlier start would name a process that is gone.
        try? FileManager.default.removeItem(atPath: identifierFile)
        try Data().write(to: URL(filePath: logFile))
        let starting = Process()
        starting.executableURL = URL(filePath: "/usr/bin/timeout")
        // The shell tells its process id and becomes the command, so that signals reach the hub itself.
        starting.arguments =
            ["--signal=KILL", "1800", "/bin/sh", "-c", #"echo $$ > "$0"; exec "$@""#, identifierFile] + words
        starting.environment = Self.environment
        starting.standardInput = FileHandle(forReadingAtPath: "/dev/null")
        starting.standardOutput = FileHandle(forWritingAtPath: logFile)
        starting.standardError = starting.standardOutput
        try starting.runHearingSignals()
        process = starting
    }

    /// Waits until `/readyz` answers 200, at most 30 s.
    package func waitUntilReady() throws {
        try waitFor("an answer of the hub; its log:\n\(log)") {
            guard isRunning else { throw WaitedInVain(event: "The hub ended at its start:\n\(log)\nready") }
            guard Self.accepts(port: port) else { return false }
            return try http("/readyz").status == 200
        }
    }

    package var isRunning: Bool { process?.isRunning ?? false }
    package var log: String { String(decoding: FileManager.default.contents(atPath: logFile) ?? Data(), as: UTF8.self) }

    /// The process id of what was started: the hub, or the wrapper that runs it.
    package var identifier: Int32 {
        get throws {
            try waitFor("the process id", seconds: 5) {
                FileManager.default.contents(atPath: identifierFile)?.isEmpty == false
            }
            let text = String(decoding: FileManager.default.contents(atPath: identifierFile) ?? Data(), as: UTF8.self)
            guard let number = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                throw WaitedInVain(event: "a process id in \(text)")
            }
            return number
        }
    }

    /// Asks the hub to stop and waits for its end.
    ///
    /// Returns its exit status.
    @discardableResult
    package func stop() throws -> Int32 {
        guard let process else { return 0 }
        try Glibc.kill(identifier, SIGTERM)
        return waitForEnd(of: process)
    }

    /// Ends the hub at once, as a power cut would.
    package func kill() {
        guard let process else { return }
        if process.isRunning, let identifier = try? identifier { _ = Glibc.kill(identifier, SIGKILL) }
        waitForEnd(of: process)
    }

    /// Waits until the hub ends by itself.
    ///
    /// Returns its status: 128 + N when signal N ended it.
    @discardableResult
    package func waitForEnd() -> Int32 { process.map { waitForEnd(of: $0) } ?? 0 }

    @discardableResult
    private func waitForEnd(of ending: Process) -> Int32 {
        ending.waitUntilExit()
        process = nil
        return ending.terminationStatus + (ending.terminationReason == .uncaughtSignal ? 128 : 0)
    }

    private static func requireBinary() throws -> String {
        guard let binary else { throw WaitedInVain(event: "CSGHUB_BINARY") }
        return binary
    }

    /// The environment of hubs and verbs: the test's own without settings of a hub.
    static var environment: [String: String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("CSGHUB_") }
    }
}
