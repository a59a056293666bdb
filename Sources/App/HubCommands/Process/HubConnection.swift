import Glibc
import HubCore
import HubServer
import Logging

extension CommandSession {
    /// The process's own streams and environment, and the hubs of this machine.
    package static var process: CommandSession {
        CommandSession(console: .standard, environment: ProcessEnvironment.variables) { location, session in
            try await HubConnection(location: location, session: session).open()
        }
    }
}

/// Finds the way to a hub: its control socket, or the data directory itself when no hub runs.
struct HubConnection {
    let location: HubLocation
    let session: CommandSession

    /// Set up once, though a verb may open a hub twice.
    private static let logging: Void = LoggingSystem.bootstrap { _ in HubLogHandler(level: .error, format: .text) }

    func open() async throws -> any HubTransport {
        let socket = SocketTransport(path: location.socket, sudoUID: sudoUID.map(String.init))
        switch await socket.reachability() {
        case .answers: return socket
        case .forbidden: throw forbidden
        case .silent: return try await openDirectory(socket)
        }
    }

    private func openDirectory(_ socket: SocketTransport) async throws -> any HubTransport {
        try checkDirectory()
        let principal = Principal.localAdministrator(uid: getuid(), sudoUID: sudoUID)
        try becomeOwner()
        _ = Self.logging
        let settings = try location.settings(environment: session.environment)
        do {
            let hub = try await Hub(settings: settings, purpose: .local)
            return RouterTransport(
                respond: { try await hub.respond($0, as: principal) },
                shutDown: {
                    await hub.close()
                    Self.becomeCaller()
                })
        } catch StartError.alreadyRunning(let holder) {
            // It may just have started.
            if case .answers = await socket.reachability() { return socket }
            throw CommandFailure(
                .tryAgain,
                "A hub\(holder.map { " (process \($0))" } ?? "") has \(location.data) open but does not answer on its control "
                    + "socket. Wait until it has started or stopped, then try again.")
        }
    }

    /// Keeps a slip in `--data` from filling some other folder with a hub.
    private func checkDirectory() throws {
        guard let folder = opendir(location.data) else {
            throw errno == EACCES
                ? forbidden
                : CommandFailure(.unavailable, "\(location.data) cannot be read: \(String(cString: strerror(errno))).")
        }
        defer { closedir(folder) }
        var names: Set<String> = []
        while let entry = readdir(folder) {
            names.insert(
                withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
            if names.count > 100 { break }
        }
        names.subtract([".", "..", "config.yaml", "lost+found"])
        guard names.isEmpty || names.contains("hub.db") || names.contains("hub.lock") else {
            throw CommandFailure(
                .unavailable,
                "\(location.data) is not the data directory of a hub, and not empty. Name the right one with --data.")
        }
    }

    /// As root, works as the owner of the directory, so that no file in it becomes root's and keeps the service from starting.
    private func becomeOwner() throws {
        var status = stat()
        guard geteuid() == 0, stat(location.data, &status) == 0, status.st_uid != 0 else { return }
        guard setgroups(0, nil) == 0, setegid(status.st_gid) == 0, seteuid(status.st_uid) == 0 else {
            throw CommandFailure(
                .notPermitted,
                "This process may not become the owner of \(location.data); run the command as that user.")
        }
    }

    /// What the verb does after that, writing an export for one, it does as the caller again.
    private static func becomeCaller() {
        // A caller that never became another has nothing to go back to.
        _ = seteuid(getuid())
        _ = setegid(getgid())
    }

    private var sudoUID: UInt32? { session.environment["SUDO_UID"].flatMap { UInt32($0) } }

    private var forbidden: CommandFailure {
        CommandFailure(
            .notPermitted,
            "Only the owner of \(location.data) and root may use its hub from the command line. Run this as that user, or with sudo."
        )
    }
}

extension HubLocation {
    /// The settings of the hub there.
    func settings(environment: [String: String]) throws -> HubSettings {
        try HubSettings.read(flags: ["data": [data]], environment: environment, configurationFile: configurationFile)
    }
}

extension HubLocation.Service {
    /// The service of this machine.
    static var installed: HubLocation.Service {
        let path = "/etc/csghub/config.yaml"
        // Who may not read the file looks in the usual place.
        guard access(path, R_OK) == 0,
            let settings = try? HubSettings.read(flags: [:], environment: [:], configurationFile: path)
        else {
            return HubLocation.Service(configurationFile: nil, data: HubSettings.defaultData)
        }
        return HubLocation.Service(configurationFile: path, data: HubLocation.absolute(settings.data))
    }
}

/// The variables of this process.
enum ProcessEnvironment {
    static var variables: [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            next = next.advanced(by: 1)
        }
        return variables
    }
}
