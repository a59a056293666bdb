import NIOCore
import NIOPosix
import NIOSSL

/// A client that sends bytes as they are and reads what comes back, for requests that no HTTP library would send.
struct WireClient: Sendable {
    typealias Wire = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// Connects, hands a conversation to `talk`, and closes.
    static func connect<Value: Sendable>(
        port: Int, tls: NIOSSLContext? = nil, _ talk: @Sendable (inout Conversation) async throws -> Value
    ) async throws -> Value {
        let wire = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in set(up: channel, tls) }
        return try await converse(wire, talk)
    }

    static func connect<Value: Sendable>(
        socket path: String, _ talk: @Sendable (inout Conversation) async throws -> Value
    ) async throws -> Value {
        let wire = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(unixDomainSocketPath: path) { channel in set(up: channel, nil) }
        return try await converse(wire, talk)
    }

    private static func set(up channel: any Channel, _ tls: NIOSSLContext?) -> EventLoopFuture<Wire> {
        channel.eventLoop.makeCompletedFuture {
            if let tls {
                try channel.pipeline.syncOperations.addHandler(
                    try NIOSSLClientHandler(context: tls, serverHostname: "localhost"))
            }
            return try Wire(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    private static func converse<Value: Sendable>(
        _ wire: Wire, _ talk: @Sendable (inout Conversation) async throws -> Value
    ) async throws -> Value {
        try await wire.executeThenClose { inbound, outbound in
            var conversation = Conversation(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            return try await talk(&conversation)
        }
    }

    struct Conversation {
        fileprivate var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        fileprivate let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        private var buffered = ByteBuffer()

        fileprivate init(
            inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
            outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        ) {
            self.inbound = inbound
            self.outbound = outbound
        }

        func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }
        func send(_ bytes: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

        /// Says that nothing more comes.
        func finish() { outbound.finish() }

        /// The head of the next answer, without its empty line.
        mutating func head() async throws -> String {
            while true {
                let text = String(buffer: buffered)
                if let end = text.firstRange(of: "\r\n\r\n") {
                    buffered.moveReaderIndex(forwardBy: text[..<end.upperBound].utf8.count)
                    return String(text[..<end.lowerBound])
                }
                guard try await more() else { return text }
            }
        }

        /// A head and the body that its Content-Length announces.
        mutating func answer() async throws -> (head: String, body: String) {
            let head = try await head()
            let line = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            let length = line.flatMap { Int($0.drop { $0 != ":" }.dropFirst().drop { $0 == " " }) } ?? 0
            while buffered.readableBytes < length, try await more() {}
            return (
                head, String(buffer: buffered.readSlice(length: min(length, buffered.readableBytes)) ?? ByteBuffer())
            )
        }

        /// What comes until the other side closes.
        mutating func rest() async throws -> String {
            while try await more() {}
            return String(buffer: buffered)
        }

        private mutating func more() async throws -> Bool {
            do {
                guard var piece = try await inbound.next() else { return false }
                buffered.writeBuffer(&piece)
                return true
            } catch {
                // A reset ends it like a close.
                return false
            }
        }
    }
}
