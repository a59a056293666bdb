import ArgumentParser
import FoundationEssentials
import HubCore
import HubServer
import Logging
import WebCore

struct ServeCommand: HubVerb {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs a hub until it is told to stop.",
        discussion: """
            Every flag can also be a variable (CSGHUB_LISTEN) or a line of config.yaml in the data directory, or of \
            /etc/csghub/config.yaml for the installed service; a flag counts more than a variable, a variable more than the file.

            Example: csghub serve --data ./hub --listen 0.0.0.0:8443 --external-url https://hub.example:8443
            """)

    @Option(
        help: ArgumentHelp(
            "The data directory, made if missing; CSGHUB_DATA or /var/lib/csghub unless given.", valueName: "dir"))
    var data: String?
    @Option(
        help: ArgumentHelp(
            "Where to listen, may be repeated; 127.0.0.1:8443 unless given, 127.0.0.1:8080 with --tls off.",
            valueName: "addr:port"))
    var listen: [String] = []
    @Option(
        help: ArgumentHelp(
            "off, auto (the hub's own authority makes a certificate) or two PEM files; auto unless given.",
            valueName: "off|auto|cert,key"))
    var tls: String?
    @Option(
        help: ArgumentHelp(
            "An address by which clients reach the hub, may be repeated; made from --listen unless given.",
            valueName: "url"))
    var externalUrl: [String] = []
    @Flag(help: "Let everyone read public repositories without signing in; off unless given.")
    var anonymousRead = false
    @Option(help: ArgumentHelp("Another configuration file.", valueName: "file"))
    var config: String?

    func perform(in session: CommandSession) async throws {
        let settings = try settings(environment: session.environment)
        let metrics = HubProcess.prepare(settings)
        let hub = try await Hub(settings: settings, purpose: .serving, metrics: metrics)
        announce(hub, Logger(label: "csghub"))
        try await hub.run()
    }

    func settings(environment: [String: String]) throws -> HubSettings {
        var flags: [String: [String]] = [:]
        if let data { flags["data"] = [data] }
        if !listen.isEmpty { flags["listen"] = listen }
        if let tls { flags["tls"] = [tls] }
        if !externalUrl.isEmpty { flags["external-url"] = externalUrl }
        if anonymousRead { flags["anonymous-read"] = ["true"] }
        return try HubSettings.read(flags: flags, environment: environment, configurationFile: config)
    }

    private func announce(_ hub: Hub, _ logger: Logger) {
        for origin in hub.externalAddresses.origins.dropFirst() { logger.notice("It is also reached at \(origin)") }
        let path = hub.settings.data + "/tls/ca.pem"
        guard case .auto = hub.settings.tls, let fingerprint = CertificateFile(path: path)?.fingerprint else { return }
        logger.notice(
            "Clients trust the hub by the certificate of its own authority, \(path), SHA-256 fingerprint \(fingerprint)"
        )
    }
}

extension HubSettings {
    /// The settings of a data directory from flags, variables and its configuration file.
    static func read(
        flags: [String: [String]], environment: [String: String], configurationFile: String? = nil
    ) throws -> HubSettings {
        let named = flags["data"]?.first ?? environment["CSGHUB_DATA"].flatMap { $0.isEmpty ? nil : $0 }
        let file = try HubSettings.configurationFile(
            data: named ?? HubSettings.defaultData, environment: environment, flag: configurationFile)
        let source = try SettingsSource(
            flags: flags, environment: environment, file: file?.text, fileName: file?.name ?? "config.yaml")
        return try HubSettings(source)
    }
}
