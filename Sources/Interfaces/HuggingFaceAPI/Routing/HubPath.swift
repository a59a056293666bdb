import HubCore

/// A request's path as it came, in parts.
package struct HubPath: Sendable {
    /// Where CSGHub and its clients also expect the Hub API.
    static let prefixes: Set<Substring> = ["hf", "csg", "ms"]

    /// `/hf`, `/csg`, `/ms`, or nothing.
    package let prefix: String
    /// The parts after it, percent-encoded.
    package let parts: [Substring]

    package init(_ path: String) {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false)[...]
        if parts.first?.isEmpty == true { parts = parts.dropFirst() }
        // `HF_ENDPOINT=https://hub/` makes paths that begin with `//`.
        while parts.count > 1, parts.first?.isEmpty == true { parts = parts.dropFirst() }
        if let first = parts.first, Self.prefixes.contains(first) {
            prefix = "/" + first
            parts = parts.dropFirst()
        } else {
            prefix = ""
        }
        if parts.last?.isEmpty == true { parts = parts.dropLast() }
        self.parts = Array(parts)
    }

    /// An address of the Hub API, whether there is such a one or not. Our own API and CSGHub's have their own.
    var isOfHubAPI: Bool { parts.count > 1 && parts[0] == "api" && parts[1] != "hub" && parts[1] != "v1" }
}
