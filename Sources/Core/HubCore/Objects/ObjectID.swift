/// The SHA-256 of a large object, as Git LFS names it: 64 lower-case hex digits.
package struct ObjectID: Hashable, Sendable, CustomStringConvertible, Comparable {
    package let hex: String

    package init?(hex: some StringProtocol) {
        guard hex.utf8.count == 64, hex.utf8.allSatisfy({ Hex.value(of: $0) != nil }) else { return nil }
        self.hex = String(hex)
    }

    /// From the 32 bytes of a digest.
    package init(digest: some Collection<UInt8>) {
        precondition(digest.count == 32, "a SHA-256 digest has 32 bytes")
        hex = Hex.encode(digest)
    }

    package var description: String { hex }
    package static func < (left: Self, right: Self) -> Bool { left.hex < right.hex }
}
