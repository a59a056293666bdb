import FoundationEssentials
import Glibc
import HubCore
import Logging
import NIOCore
import NIOPosix
import WebCore

/// The hub's listening sockets, their certificate and the addresses that they make.
struct HubNetwork: Sendable {
    let listeners: [HTTPServer.Listener]
    /// Where the hub is reached, the main address first.
    let origins: [RequestOrigin]
    /// The site authority's certificate as PEM, when the hub made its own.
    let authorityCertificate: String?
    /// Takes over new certificates while the hub runs.
    let certificateWatcher: CertificateWatcher?

    private let settings: HTTPServer.Settings
    private let connections: OpenConnections
    private let addressing: ClientAddressing
    private let group: any EventLoopGroup
    private let logger: Logger

    init(settings: HubSettings, folder: DataFolder, secrets: SecretFiles, logger: Logger) async throws {
        var server = HTTPServer.Settings()
        server.timeouts = settings.timeouts
        server.maximumConnections = settings.maximumConnections
        let inherited = settings.takesInheritedSockets ? InheritedSockets.take().map { ListenAddress.descriptor($0) } : []
        let addresses = inherited.isEmpty ? settings.listen : inherited
        let certificates = try HubCertificates(settings: settings, folder: folder, secrets: secrets, addresses: addresses)
        let connections = OpenConnections(limit: settings.maximumConnections)
        let group = MultiThreadedEventLoopGroup.singleton
        var bound: [HTTPServer.Listener] = []
        for address in addresses {
            bound.append(
                try await HTTPServer.bind(
                    address, settings: server, connections: connections, tls: certificates.contexts, group: group))
        }
        bound.append(
            try await HTTPServer.bind(
                .socket(path: folder.file("control.sock")), settings: server, connections: connections, tls: nil, group: group))
        listeners = bound
        let hosts = bound.compactMap { listener -> (host: String, port: Int)? in
            guard let port = listener.port else { return nil }
            guard case .network(let host, _) = listener.address else { return ("0.0.0.0", port) }
            return (host, port)
        }
        origins =
            settings.externalURLs.isEmpty
            ? LocalNames.origins(hosts, isEncrypted: certificates.contexts != nil) : settings.externalURLs
        authorityCertificate = certificates.authority
        certificateWatcher = certificates.contexts.map { contexts in
            CertificateWatcher(certificates: certificates, contexts: contexts, logger: logger)
        }
        self.settings = server
        self.connections = connections
        self.group = group
        self.logger = logger
        addressing = ClientAddressing(external: ExternalAddresses(origins), trustedProxies: settings.trustedProxies)
    }

    var openConnections: Int { connections.count }

    /// The server that answers by `respond` on all listeners.
    func server(respond: @escaping Connection.Respond) -> HTTPServer {
        HTTPServer(
            settings: settings, listeners: listeners, connections: connections, addressing: addressing, group: group,
            logger: logger, respond: respond)
    }
}
