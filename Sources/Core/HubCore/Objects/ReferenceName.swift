/// The full name of a git ref: `refs/heads/main`.
///
/// Rules of git `check-ref-format(1)`: at most 1,024 bytes; begins with `refs/` and has three parts or more; no part is empty, starts
/// with `.` or ends with `.lock`; no `..`, `@{`, control byte, space, `~ ^ : ? * [ \`; does not end with `.` or `/`.
package struct ReferenceName: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String

    package init?(_ text: String) {
        guard Self.isValid(text) else { return nil }
        self.text = text
    }

    /// A name that the database already holds.
    package init(trusted text: String) { self.text = text }

    package static func branch(_ name: String) -> ReferenceName? { ReferenceName("refs/heads/" + name) }
    /// A branch that the hub itself may make: not one that git's own commands refuse or take for something else
    /// (`git check-ref-format --branch`).
    package static func newBranch(_ name: String) -> ReferenceName? {
        guard name != "HEAD", !name.hasPrefix("-"), !name.hasPrefix("refs/") else { return nil }
        return branch(name)
    }

    package static func tag(_ name: String) -> ReferenceName? { ReferenceName("refs/tags/" + name) }

    package var isBranch: Bool { text.hasPrefix("refs/heads/") }
    package var isTag: Bool { text.hasPrefix("refs/tags/") }

    /// The name people use: `main` for `refs/heads/main`, `v1` for `refs/tags/v1`, otherwise the whole.
    package var shortName: String {
        isBranch ? String(text.dropFirst(11)) : isTag ? String(text.dropFirst(10)) : text
    }

    package var description: String { text }

    /// Byte order, as git sorts refs.
    package static func < (left: Self, right: Self) -> Bool { left.text.utf8.lexicographicallyPrecedes(right.text.utf8) }

    private static func isValid(_ text: String) -> Bool {
        guard text.utf8.count <= 1024, text.hasPrefix("refs/"), !text.hasSuffix("."), !text.contains(".."), !text.contains("@{")
        else { return false }
        let forbidden = Set("~^:?*[\\ ".utf8)
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f && !forbidden.contains($0) }) else { return false }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count >= 3 && parts.allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasSuffix(".lock") }
    }
}
