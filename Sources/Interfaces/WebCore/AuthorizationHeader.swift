import FoundationEssentials
import HTTPTypes
import Hummingbird

/// What a request's `Authorization` header says, before anybody checks it. RFC 6750 (Bearer), RFC 7617 (Basic).
package enum AuthorizationHeader: Equatable, Sendable {
    case absent
    case bearer(String)
    case basic(user: String, password: String)
    /// There is a header, but of a scheme or form that the hub does not know.
    case malformed

    /// Longer headers are `.malformed`; no token or password of ours comes near.
    static let maximumByteCount = 8192

    /// A CSGHub that fetches from its upstream sends its token in a header of its own, or as the scheme itself.
    package init(of request: Request) {
        if request.headers[.authorization] == nil, let token = request.headers[Self.syncTokenHeader], !token.isEmpty {
            self = token.utf8.count <= Self.maximumByteCount ? .bearer(token) : .malformed
        } else {
            self.init(value: request.headers[.authorization])
        }
    }

    /// Source: csghub-server `multisync/handler/mirror_proxy.go`.
    private static let syncTokenHeader = HTTPField.Name.literal(syncTokenName)
    private static let syncTokenName = "X-OPENCSG-Sync-Token"

    package init(value: String?) {
        guard let value, !value.isEmpty else {
            self = .absent
            return
        }
        // `X-OPENCSG-Sync-Token<token>`, without a space: csghub-server `builder/git/gitserver/gitaly/mirror.go`.
        if value.utf8.count <= Self.maximumByteCount, value.lowercased().hasPrefix(Self.syncTokenName.lowercased()) {
            let token = value.dropFirst(Self.syncTokenName.count).drop { $0 == " " || $0 == ":" }
            self = token.isEmpty ? .malformed : .bearer(String(token))
            return
        }
        guard value.utf8.count <= Self.maximumByteCount, let space = value.firstIndex(of: " ") else {
            self = .malformed
            return
        }
        let content = value[value.index(after: space)...].drop { $0 == " " }
        switch value[..<space].lowercased() {
        // `token` is what older clients of the GitHub kind send, `OAuth` what those of CSGHub may.
        case "bearer", "token", "oauth": self = content.isEmpty ? .malformed : .bearer(String(content))
        case "basic": self = Self.basic(content) ?? .malformed
        default: self = .malformed
        }
    }

    private static func basic(_ encoded: Substring) -> AuthorizationHeader? {
        guard let data = Data(base64Encoded: String(encoded)), let text = String(bytes: data, encoding: .utf8),
            let colon = text.firstIndex(of: ":")
        else { return nil }
        return .basic(user: String(text[..<colon]), password: String(text[text.index(after: colon)...]))
    }
}
