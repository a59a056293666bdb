import FoundationEssentials

/// A data directory and how it was found.
struct HubLocation: Equatable {
    enum Origin: Equatable {
        case flag, environment, service, sample
    }

    /// Absolute.
    let data: String
    let origin: Origin
    /// The file that the hub there reads its settings from, where it is not `config.yaml` in the directory.
    var configurationFile: String?

    /// Where the service is told its data directory, and where that is unless told.
    struct Service {
        var configurationFile: String?
        var data: String
    }

    /// The directory that a verb works on: `--data`, `CSGHUB_DATA`, the service's, the sample's.
    ///
    /// - Parameter isDirectory: whether there is a folder of that path.
    /// - Throws: `CommandFailure` when there is none.
    static func find(
        flag: String?, environment: [String: String], service: Service = .installed,
        isDirectory: (String) -> Bool = Self.isDirectory
    ) throws -> HubLocation {
        if let flag {
            let path = absolute(flag)
            guard isDirectory(path) else {
                throw CommandFailure(
                    .unavailable,
                    "There is no hub in \(path): the folder does not exist. Start one with “csghub serve --data \(flag)”."
                )
            }
            return HubLocation(data: path, origin: .flag)
        }
        if let text = environment["CSGHUB_DATA"], !text.isEmpty {
            let path = absolute(text)
            guard isDirectory(path) else {
                throw CommandFailure(
                    .unavailable, "There is no hub in \(path), which CSGHUB_DATA names; set --data or mend CSGHUB_DATA."
                )
            }
            return HubLocation(data: path, origin: .environment)
        }
        if isDirectory(service.data) {
            return HubLocation(data: service.data, origin: .service, configurationFile: service.configurationFile)
        }
        if let sample = sampleDirectory(environment), isDirectory(sample) {
            return HubLocation(data: sample, origin: .sample)
        }
        throw CommandFailure(
            .unavailable,
            "No hub was found on this machine. Name its data directory with --data or CSGHUB_DATA, or start one with "
                + "“csghub serve --data DIR”.")
    }

    /// Where `installer/run` keeps the sample hub.
    static func sampleDirectory(_ environment: [String: String]) -> String? {
        if let base = environment["XDG_DATA_HOME"], base.hasPrefix("/") { return base + "/csghub-sample" }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return home + "/.local/share/csghub-sample"
    }

    var socket: String { data + "/control.sock" }

    static func absolute(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        if path.hasPrefix("/") { return path }
        let folder = FileManager.default.currentDirectoryPath
        return path == "." ? folder : folder == "/" ? "/" + path : folder + "/" + path
    }

    private static func isDirectory(_ path: String) -> Bool {
        var isDirectory = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory
    }
}
