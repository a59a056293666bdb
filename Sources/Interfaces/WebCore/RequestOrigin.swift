/// A scheme and an authority, `https://hub.example:8443`: how a client reaches the hub.
package struct RequestOrigin: Hashable, Sendable, CustomStringConvertible {
    /// `http` or `https`.
    package let scheme: String
    /// Host in lower case, with the port unless it is the scheme's own; IPv6 addresses in brackets.
    package let authority: String

    /// Stands for the control socket and for requests without a network.
    package static let local = RequestOrigin(scheme: "http", authority: "localhost")

    private init(scheme: String, authority: String) {
        self.scheme = scheme
        self.authority = authority
    }

    /// Reads `http[s]://host[:port]` with at most a final `/`; `nil` for anything else, so for a path, user or query.
    package init?(parsing text: String) {
        let lower = text.lowercased()
        for scheme in ["https", "http"] where lower.hasPrefix(scheme + "://") {
            var authority = lower.dropFirst(scheme.count + 3)
            if authority.hasSuffix("/") { authority.removeLast() }
            self.init(scheme: scheme, host: String(authority))
            return
        }
        return nil
    }

    /// From a scheme and the value of a `Host` header; `nil` when that is not a host with an optional port.
    package init?(scheme: String, host: String) {
        guard scheme == "http" || scheme == "https" else { return nil }
        let (name, port) = Self.splitPort(host.lowercased())
        guard Self.isHost(name) else { return nil }
        if let port {
            guard let number = UInt16(port), number > 0, String(number) == port else { return nil }
            authority = number == Self.defaultPort(of: scheme) ? name : "\(name):\(number)"
        } else {
            authority = name
        }
        self.scheme = scheme
    }

    /// Host without port and brackets, as certificates name it.
    package var host: String {
        let name = Self.splitPort(authority).name
        return name.hasPrefix("[") ? String(name.dropFirst().dropLast()) : name
    }

    package var description: String { "\(scheme)://\(authority)" }

    private static func defaultPort(of scheme: String) -> UInt16 { scheme == "https" ? 443 : 80 }

    private static func splitPort(_ text: String) -> (name: String, port: String?) {
        guard let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") else { return (text, nil) }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }

    private static func isHost(_ name: String) -> Bool {
        if name.hasPrefix("["), name.hasSuffix("]") {
            let inner = name.dropFirst().dropLast()
            return !inner.isEmpty && inner.utf8.count <= 45
                && inner.utf8.allSatisfy { isHexDigit($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
        }
        return (1...253).contains(name.utf8.count)
            && name.utf8.allSatisfy { isLetterOrDigit($0) || "-._".utf8.contains($0) }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte)
    }
}

/// The addresses by which clients reach the hub. A link repeats the one that the client came by; any other `Host` gets the first.
///
/// Building links from an unchecked `Host` header would let a request decide where other people's uploads go.
package struct ExternalAddresses: Sendable {
    package let origins: [RequestOrigin]
    private let first: RequestOrigin

    /// `origins` must not be empty; an empty list stands for `http://localhost`.
    package init(_ origins: [RequestOrigin]) {
        self.origins = origins
        first = origins.first ?? .local
    }

    /// The main address.
    package var main: RequestOrigin { first }

    /// The address to use in links for a client that asked for `host` over `scheme`.
    package func origin(scheme: String, host: String?) -> RequestOrigin {
        guard let host, let asked = RequestOrigin(scheme: scheme, host: host) else { return first }
        if origins.contains(asked) { return asked }
        // Behind a proxy that ends TLS without telling so, the authority still says which address was meant.
        return origins.first { $0.scheme == "https" && RequestOrigin(scheme: "https", host: host) == $0 } ?? first
    }
}
