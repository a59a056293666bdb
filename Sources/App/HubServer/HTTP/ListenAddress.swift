import HubCore

/// Where the hub listens.
package enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
    case network(host: String, port: Int)
    case socket(path: String)
    /// A listening socket that was inherited.
    case descriptor(Int32)

    /// Reads `127.0.0.1:8443`, `hub.example:443` or `[::1]:8443`; `nil` for anything else.
    package init?(parsing text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self = .network(host: host, port: Int(port))
    }

    package var description: String {
        switch self {
        case .network(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .socket(let path): path
        case .descriptor(let number): "descriptor \(number)"
        }
    }
}
