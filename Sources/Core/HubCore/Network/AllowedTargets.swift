/// Where the hub may connect to on behalf of its users: a list of hosts and address ranges, as the administrator wrote it.
///
/// `hooks.example, 10.1.0.0/16, *.ci.example`. A host allows the addresses that it has, but none of this machine or link; a range
/// allows all addresses in it, whatever the host is called. Empty allows nothing.
package struct AllowedTargets: Hashable, Sendable {
    package static let maximumCount = 500
    package static let nothing = AllowedTargets(entries: [], hosts: [], suffixes: [], ranges: [])

    private let entries: [String]
    private let hosts: Set<String>
    /// `.ci.example` for `*.ci.example`.
    private let suffixes: [String]
    private let ranges: [AddressRange]

    private init(entries: [String], hosts: Set<String>, suffixes: [String], ranges: [AddressRange]) {
        self.entries = entries
        self.hosts = hosts
        self.suffixes = suffixes
        self.ranges = ranges
    }

    /// `nil` when an entry is neither, or there are too many.
    package init?(_ text: String) {
        let words = text.split { $0 == "," || $0.isWhitespace }.map { $0.lowercased() }
        guard words.count <= Self.maximumCount else { return nil }
        var (hosts, suffixes, ranges): (Set<String>, [String], [AddressRange]) = ([], [], [])
        for word in words {
            if let range = AddressRange(word) {
                ranges.append(range)
            } else if word.hasPrefix("*."), Self.isHost(word.dropFirst(2)) {
                suffixes.append(String(word.dropFirst()))
            } else if Self.isHost(word[...]) {
                hosts.insert(word)
            } else {
                return nil
            }
        }
        self.init(entries: words, hosts: hosts, suffixes: suffixes, ranges: ranges)
    }

    /// The list as it is stored.
    package var text: String { entries.joined(separator: ",") }
    package var isEmpty: Bool { entries.isEmpty }

    /// Whether a host may be connected to at one of the addresses that it has.
    package func allow(_ host: String, at address: IPAddress) -> Bool {
        ranges.contains { $0.contains(address) } || (names(host) && !address.isLocal)
    }

    /// False when no address of the host could be allowed.
    package func mayAllow(_ host: String) -> Bool {
        if let address = IPAddress(host) { return allow(host, at: address) }
        return names(host) || !ranges.isEmpty
    }

    private func names(_ host: String) -> Bool {
        let host = host.lowercased()
        return hosts.contains(host) || suffixes.contains { host.hasSuffix($0) && host.count > $0.count }
    }

    private static func isHost(_ text: Substring) -> Bool {
        guard (1...253).contains(text.utf8.count), text.utf8.contains(where: { (0x61...0x7a).contains($0) }) else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x5f }
        }
    }
}
