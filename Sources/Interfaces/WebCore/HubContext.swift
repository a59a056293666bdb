import Hummingbird
import HubCore
import Logging

/// What the hub knows of a request besides the request itself: who asks, from where, by which address, under which id.
///
/// `principal` is `.anonymous` until the interface that answers has asked `Identity`; on the control socket the server sets it to
/// `.localAdministrator` from the peer's user id.
package struct HubContext: RequestContext {
    package typealias Source = HubRequestSource

    package var coreContext: CoreRequestContextStorage
    package var principal: Principal
    /// Names the request in logs and in `X-Request-Id`.
    package let requestID: String
    /// The client's address without its port; behind a trusted proxy the one that the proxy names; `local` on a unix socket.
    package let remoteAddress: String
    /// The external address that the client came by; links in answers begin with it.
    package let origin: RequestOrigin
    /// Who is at the other end of the control socket; `nil` on the network.
    package let peerUser: PeerUser?
    /// The connection is encrypted by the hub itself: bodies are then written in smaller pieces.
    package let isEncrypted: Bool

    package init(source: HubRequestSource) {
        coreContext = CoreRequestContextStorage(source: source)
        principal = source.principal
        requestID = source.requestID
        remoteAddress = source.remoteAddress
        origin = source.origin
        peerUser = source.peerUser
        isEncrypted = source.isEncrypted
    }

    /// The largest JSON body that `decode` reads.
    package var maxUploadSize: Int { 1 << 20 }
}

/// What a connection, or a verb that runs the router in its own process, tells of a request.
package struct HubRequestSource: RequestContextSource {
    package var logger: Logger
    package var requestID: String
    package var remoteAddress: String
    package var origin: RequestOrigin
    package var principal: Principal
    package var peerUser: PeerUser?
    package var isEncrypted: Bool

    package init(
        logger: Logger, requestID: String = RequestID.make(), remoteAddress: String = "local",
        origin: RequestOrigin = .local, principal: Principal = .anonymous, peerUser: PeerUser? = nil,
        isEncrypted: Bool = false
    ) {
        self.logger = logger
        self.logger[metadataKey: "request.id"] = "\(requestID)"
        self.requestID = requestID
        self.remoteAddress = remoteAddress
        self.origin = origin
        self.principal = principal
        self.peerUser = peerUser
        self.isEncrypted = isEncrypted
    }
}

/// The process at the other end of a unix socket, as the kernel knows it (`SO_PEERCRED`).
package struct PeerUser: Hashable, Sendable {
    package let uid: UInt32
    package let gid: UInt32
    package let pid: Int32

    package init(uid: UInt32, gid: UInt32, pid: Int32) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
    }
}

/// Ids of requests: 16 hex digits, random.
package enum RequestID {
    package static func make() -> String {
        let bits = UInt64.random(in: .min ... .max)
        return Hex.encode(withUnsafeBytes(of: bits.bigEndian) { Array($0) })
    }
}
