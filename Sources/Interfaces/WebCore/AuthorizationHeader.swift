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

    package init(of request: Request) { self.init(value: request.headers[.authorization]) }

    package init(value: String?) {
        guard let value, !value.isEmpty else {
            self = .absent
            return
        }
        guard value.utf8.count <= Self.maximumByteCount, let space = value.firstIndex(of: " ") else {
            self = .malformed
            return
        }
        let content = value[value.index(after: space)...].drop { $0 == " " }
        switch value[..<space].lowercased() {
        // `token` is what older clients of the GitHub kind send.
        case "bearer", "token": self = content.isEmpty ? .malformed : .bearer(String(content))
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
