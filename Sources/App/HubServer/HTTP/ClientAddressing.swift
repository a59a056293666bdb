import Glibc
import HTTPTypes
import HubCore
import Logging
import WebCore

/// Decides whose word counts for where a request came from and by which address.
struct ClientAddressing: Sendable {
    let external: ExternalAddresses
    let trustedProxies: [AddressBlock]

    /// What a handler may know of a request's way here.
    func source(of head: HTTPRequest, from connection: ConnectionSource, logger: Logger) -> HubRequestSource {
        if let peer = connection.peerUser {
            let sudoUID = head.headerFields[.sudoUID].flatMap { UInt32($0) }
            // The socket's mode keeps others out already.
            let isOwner = peer.uid == 0 || peer.uid == geteuid()
            return HubRequestSource(
                logger: logger, remoteAddress: "local", origin: external.main,
                principal: isOwner ? .localAdministrator(uid: peer.uid, sudoUID: sudoUID) : .anonymous, peerUser: peer)
        }
        var address = connection.address
        var scheme = connection.isEncrypted ? "https" : "http"
        var host = head.authority
        var requestID = RequestID.make()
        if isTrusted(address) {
            address = forwardedClient(head.headerFields[values: .forwardedFor]) ?? address
            if let proto = head.headerFields[.forwardedProto]?.lowercased(), proto == "http" || proto == "https" { scheme = proto }
            host = head.headerFields[.forwardedHost] ?? host
            if let given = head.headerFields[.requestID], Self.isRequestID(given) { requestID = given }
        }
        return HubRequestSource(
            logger: logger, requestID: requestID, remoteAddress: address,
            origin: external.origin(scheme: scheme, host: host), isEncrypted: connection.isEncrypted)
    }

    private func isTrusted(_ address: String) -> Bool { trustedProxies.contains { $0.contains(address) } }

    /// The last address that no trusted proxy has: everything before it may be invented by the client.
    private func forwardedClient(_ values: [String]) -> String? {
        let chain = values.flatMap { value in value.split(separator: ",").map { $0.filter { $0 != " " } } }
        guard let address = chain.last(where: { !isTrusted($0) }) ?? chain.first else { return nil }
        return AddressBlock(parsing: address) == nil ? nil : address
    }

    private static func isRequestID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    }
}

extension HTTPField.Name {
    fileprivate static let forwardedFor = literal("X-Forwarded-For")
    fileprivate static let forwardedProto = literal("X-Forwarded-Proto")
    fileprivate static let forwardedHost = literal("X-Forwarded-Host")
}

/// An IP address or a block of them: `10.0.0.0/8`, `fd00::/8`, `192.0.2.1`.
package struct AddressBlock: Hashable, Sendable, CustomStringConvertible {
    private let bytes: [UInt8]
    private let prefixLength: Int
    package let description: String

    package init?(parsing text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first, let bytes = Self.bytes(of: String(first)) else { return nil }
        self.bytes = bytes
        description = String(text)
        guard parts.count == 2 else {
            prefixLength = bytes.count * 8
            return
        }
        guard let length = UInt8(parts[1]), Int(length) <= bytes.count * 8 else { return nil }
        prefixLength = Int(length)
    }

    package func contains(_ address: String) -> Bool {
        guard let other = Self.bytes(of: address), other.count == bytes.count else { return false }
        let whole = prefixLength / 8
        guard other.prefix(whole) == bytes.prefix(whole) else { return false }
        let rest = prefixLength % 8
        return rest == 0 || (other[whole] ^ bytes[whole]) >> (8 - rest) == 0
    }

    /// Network order; an IPv4 address inside IPv6 (`::ffff:192.0.2.1`) counts as IPv4.
    private static func bytes(of text: String) -> [UInt8]? {
        var four = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &four) == 1 { return four }
        var sixteen = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, text, &sixteen) == 1 else { return nil }
        let isMapped = sixteen.prefix(10).allSatisfy { $0 == 0 } && sixteen[10] == 0xff && sixteen[11] == 0xff
        return isMapped ? Array(sixteen.suffix(4)) : sixteen
    }
}
