import CHubPlatform
import Glibc
import HubCore
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Synchronization
import WebCore

/// Accepts connections on the hub's addresses and serves HTTP/1.1 on them, with TLS on the network if so set.
///
/// HTTP/2 is not offered: Hummingbird leaves its stream window at 64 KiB, so that an upload moves 64 KiB a round trip, and large
/// downloads cost 1.3 to 1.6 of HTTP/1.1 (`storage-io.md` §4). Git, git-lfs and curl take it whenever ALPN offers it.
final class HTTPServer: Service {
    struct Settings: Sendable {
        var timeouts = ConnectionTimeouts()
        var maximumConnections = 2048
        /// How long transfers may go on after the hub was told to stop.
        var stopGrace = TimeAmount.seconds(30)
        var maximumHeaderFieldBytes = 16 << 10
        var maximumHeaderBytes = 64 << 10
        var maximumHeaderFields = 128
    }

    fileprivate typealias AcceptingChannel = NIOAsyncChannel<Accepted?, Never>

    /// A socket that listens, bound before the server runs.
    struct Listener: Sendable {
        fileprivate let accepting: AcceptingChannel
        let address: ListenAddress
        /// The port in fact bound, if it is a network address.
        let port: Int?
    }

    private let settings: Settings
    private let group: any EventLoopGroup
    private let addressing: ClientAddressing
    private let respond: Connection.Respond
    private let connections: OpenConnections
    private let logger: Logger
    private let listeners: [Listener]

    /// - Parameters:
    ///   - listeners: from `bind`, with the same `connections`.
    init(
        settings: Settings, listeners: [Listener], connections: OpenConnections, addressing: ClientAddressing,
        group: any EventLoopGroup, logger: Logger, respond: @escaping Connection.Respond
    ) {
        self.settings = settings
        self.listeners = listeners
        self.connections = connections
        self.addressing = addressing
        self.group = group
        self.logger = logger
        self.respond = respond
    }

    /// Serves until it is told to stop; then idle connections are closed at once and transfers may end within the grace time.
    func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for listener in listeners {
                    group.addTask { await self.accept(on: listener) }
                }
            }
        } onGracefulShutdown: {
            self.stop()
        }
    }

    private func stop() {
        for listener in listeners { listener.accepting.channel.close(promise: nil) }
        connections.stop()
        let connections = connections
        _ = group.next().scheduleTask(in: settings.stopGrace) { connections.closeAll() }
    }

    private func accept(on listener: Listener) async {
        do {
            try await listener.accepting.executeThenClose { inbound in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await accepted in inbound {
                        guard let accepted else { continue }
                        let connections = connections
                        let connection = Connection(
                            source: accepted.source, addresses: addressing, respond: respond,
                            isStopping: { connections.isStopping }, logger: logger)
                        let channel = accepted.take()
                        group.addTask { await connection.serve(channel) }
                    }
                }
            }
        } catch {
            if !connections.isStopping { logger.error("Stopped listening on \(listener.address): \(error)") }
        }
    }

    // MARK: Listening

    /// Opens a listening socket. Connections are accepted when the server runs; until then they wait.
    /// - Throws: `StartError` when the address cannot be used.
    static func bind(
        _ address: ListenAddress, settings: Settings, connections: OpenConnections, tls: TLSContexts?,
        group: any EventLoopGroup
    ) async throws -> Listener {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
        let setUp: @Sendable (any Channel) -> EventLoopFuture<Accepted?> = { channel in
            channel.eventLoop.makeCompletedFuture {
                try setUpConnection(channel, settings: settings, connections: connections, tls: tls)
            }
        }
        do {
            let channel: AcceptingChannel
            switch address {
            case .network(let host, let port): channel = try await bootstrap.bind(host: host, port: port, childChannelInitializer: setUp)
            case .socket(let path):
                channel = try await bootstrap.bind(SocketPath.bound(path), childChannelInitializer: setUp)
            case .descriptor(let descriptor): channel = try await bootstrap.bind(descriptor, childChannelInitializer: setUp)
            }
            return Listener(accepting: channel, address: address, port: channel.channel.localAddress?.port)
        } catch {
            throw StartError(listening: address, error)
        }
    }

    /// How many parts of a request may wait to be taken. One read of a TLS connection makes a part of up to 512 KiB, so with more of
    /// them the memory of a hundred uploads was 660 MB.
    private static var waitingParts: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark {
        .init(lowWatermark: 1, highWatermark: 2)
    }

    private static func setUpConnection(
        _ channel: any Channel, settings: Settings, connections: OpenConnections, tls: TLSContexts?
    ) throws -> Accepted? {
        guard connections.admit(channel) else {
            channel.close(promise: nil)
            return nil
        }
        let pipeline = channel.pipeline.syncOperations
        let now = NIODeadline.now()
        let activity = ConnectionActivity(now: now)
        let files = FileSender(isEncrypted: tls != nil)
        let source = source(of: channel, isEncrypted: tls != nil, files: NIOLoopBound(files, eventLoop: channel.eventLoop))
        try pipeline.addHandler(ConnectionGuard(activity: activity, timeouts: settings.timeouts, now: now))
        if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls.current)) }
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = settings.maximumHeaderFieldBytes
        limits.maxHeaderListSize = settings.maximumHeaderBytes
        limits.maxHeaderFieldCount = settings.maximumHeaderFields
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
            withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
        try pipeline.addHandler(ExchangeTracker(activity: activity))
        try pipeline.addHandler(files)
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: tls != nil))
        let wrapped = try Connection.ConnectionChannel(
            wrappingChannelSynchronously: channel,
            configuration: .init(backPressureStrategy: waitingParts, isOutboundHalfClosureEnabled: true))
        return Accepted(wrapped, source: source)
    }

    private static func source(
        of channel: any Channel, isEncrypted: Bool, files: NIOLoopBound<FileSender>
    ) -> ConnectionSource {
        guard case .unixDomainSocket? = channel.localAddress else {
            return ConnectionSource(
                address: channel.remoteAddress?.ipAddress ?? "unknown", isEncrypted: isEncrypted, peerUser: nil,
                files: files)
        }
        // A peer that cannot be asked is nobody: it gets no rights, as `peerUser` stays nil.
        let peer = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            descriptor -> PeerUser? in
            var (uid, gid, pid) = (UInt32(0), UInt32(0), Int32(0))
            guard hub_peer_credentials(descriptor, &uid, &gid, &pid) == 0 else { return nil }
            return PeerUser(uid: uid, gid: gid, pid: pid)
        }
        return ConnectionSource(address: "local", isEncrypted: false, peerUser: peer ?? nil, files: files)
    }
}

/// A connection between being accepted and being served. One that comes while its listener closes is never served: it is closed, as
/// the process would end if the channel were only dropped.
private final class Accepted: Sendable {
    let source: ConnectionSource
    private let channel: Connection.ConnectionChannel
    private let isTaken = Atomic(false)

    init(_ channel: Connection.ConnectionChannel, source: ConnectionSource) {
        self.channel = channel
        self.source = source
    }

    deinit {
        guard !isTaken.load(ordering: .acquiring) else { return }
        Task { [channel] in try? await channel.executeThenClose { _, _ in } }
    }

    /// The channel, for the one that serves it.
    func take() -> Connection.ConnectionChannel {
        isTaken.store(true, ordering: .releasing)
        return channel
    }
}
