import Community
import Glibc
import HubCore
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Sends webhooks: one connection, one request, no redirects, the answer's body unread.
struct WebhookSender: WebhookTransport {
    private static let timeout: TimeAmount = .seconds(10)
    private static let maximumAddresses = 64

    let group: any EventLoopGroup

    /// By the system's resolver, on a thread of its own.
    func addresses(of host: String) async throws -> [IPAddress] {
        try await NIOThreadPool.singleton.runIfActive { try Self.resolve(host) }
    }

    private static func resolve(_ host: String) throws -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &first) == 0 else { throw WebhookSendingError.unknownHost }
        defer { freeaddrinfo(first) }
        var found: [IPAddress] = []
        var next = first
        while let entry = next, found.count < maximumAddresses {
            if let address = address(in: entry.pointee), !found.contains(address) { found.append(address) }
            next = entry.pointee.ai_next
        }
        return found
    }

    private static func address(in entry: addrinfo) -> IPAddress? {
        guard let raw = UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch entry.ai_family {
        case AF_INET:
            let address = raw.loadUnaligned(as: sockaddr_in.self)
            return withUnsafeBytes(of: address.sin_addr) { IPAddress(bytes: Array($0)) }
        case AF_INET6:
            let address = raw.loadUnaligned(as: sockaddr_in6.self)
            return withUnsafeBytes(of: address.sin6_addr) { IPAddress(bytes: Array($0)) }
        default: return nil
        }
    }

    /// Certificates are checked against the authorities of the system and of the site. One is good for the host, and also for the
    /// address that is connected to, which was judged before.
    private static func context(_ authorities: TrustedAuthorities) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        guard !authorities.isEmpty else { return try NIOSSLContext(configuration: configuration) }
        let own = try NIOSSLCertificate.fromPEMBytes(Array(authorities.text.utf8))
        configuration.additionalTrustRoots = [.certificates(own)]
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            // A machine without a list of authorities has those of the site.
            configuration.trustRoots = .certificates(own)
            configuration.additionalTrustRoots = []
            return try NIOSSLContext(configuration: configuration)
        }
    }

    func post(_ request: WebhookRequest, to address: IPAddress) async throws -> Int {
        let target = request.address
        let tls = target.usesTLS ? try Self.context(request.authorities) : nil
        let loop = group.next()
        let answer = loop.makePromise(of: Int.self)
        let deadline = loop.scheduleTask(in: Self.timeout) { answer.fail(WebhookSendingError.timedOut) }
        let bootstrap = ClientBootstrap(group: loop).connectTimeout(Self.timeout).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                if let tls {
                    // Without a name, the certificate must be for the address.
                    let name = IPAddress(target.host) == nil ? target.host : nil
                    try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name))
                }
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                try channel.pipeline.syncOperations.addHandler(WebhookExchange(request, answer))
            }
        }
        do {
            let socket = try SocketAddress(ipAddress: address.description, port: target.port)
            let channel = try await bootstrap.connect(to: socket).get()
            // However it ends, the connection does.
            answer.futureResult.whenComplete { _ in channel.close(promise: nil) }
        } catch {
            answer.fail(error)
        }
        defer { deadline.cancel() }
        return try await answer.futureResult.get()
    }
}

enum WebhookSendingError: Error {
    case unknownHost
    case timedOut
    case noAnswer
}

/// Sends the request once connected, and waits for the head of the answer.
private final class WebhookExchange: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: WebhookRequest
    private let answer: EventLoopPromise<Int>

    init(_ request: WebhookRequest, _ answer: EventLoopPromise<Int>) {
        self.request = request
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        var head = HTTPRequestHead(version: .http1_1, method: .POST, uri: request.address.target)
        for (name, value) in request.headers { head.headers.add(name: name, value: value) }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: request.body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data), head.status.code >= 200 else { return }
        answer.succeed(Int(head.status.code))
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(WebhookSendingError.noAnswer)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }
}
