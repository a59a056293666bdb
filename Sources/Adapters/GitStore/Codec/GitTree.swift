import Glibc
import HubCore

/// One line of a tree.
package struct GitTreeEntry: Hashable, Sendable {
    package let mode: UInt32
    package let name: [UInt8]
    package let oid: GitOID

    package init(mode: UInt32, name: [UInt8], oid: GitOID) {
        self.mode = mode
        self.name = name
        self.oid = oid
    }

    package var isTree: Bool { GitFileMode.isTree(mode) }
    package var isGitlink: Bool { GitFileMode.isGitlink(mode) }
    package var isSymlink: Bool { GitFileMode.isSymlink(mode) }
}

/// The modes that git writes into trees, and the file type bits that tell them apart.
package enum GitFileMode {
    package static let tree: UInt32 = 0o040000
    package static let file: UInt32 = 0o100644
    package static let executable: UInt32 = 0o100755
    package static let symlink: UInt32 = 0o120000
    package static let gitlink: UInt32 = 0o160000

    private static let typeMask: UInt32 = 0o170000

    package static func isTree(_ mode: UInt32) -> Bool { mode & typeMask == tree }
    package static func isRegularFile(_ mode: UInt32) -> Bool { mode & typeMask == 0o100000 }
    package static func isSymlink(_ mode: UInt32) -> Bool { mode & typeMask == symlink }
    package static func isGitlink(_ mode: UInt32) -> Bool { mode & typeMask == gitlink }
}

/// Reads the entries of a raw tree one after another, without allocating.
///
/// The buffer must outlive it.
///
///     <octal mode> SP <name> NUL <20 bytes of object name>
///
/// It checks what is needed to find the entries; what git's `fsck` asks beyond that is `ObjectRules`' matter.
struct TreeParser {
    struct Entry {
        var mode: UInt32
        /// Points into the tree; never empty, holds no NUL.
        var name: UnsafeRawBufferPointer
        /// The 20 bytes of the object's name, in the tree.
        var oidBytes: UnsafeRawPointer
        /// The mode is written with a leading zero, which git accepts but never writes.
        var hasZeroPaddedMode: Bool

        var oid: GitOID { GitOID(bytes: oidBytes) }
    }

    private var rest: UnsafeRawBufferPointer

    init(_ tree: UnsafeRawBufferPointer) {
        rest = tree
    }

    /// How many bytes of the tree have not been read.
    var remainingBytes: Int { rest.count }

    /// The next entry, or `nil` at the end.
    @inline(__always)
    mutating func next() throws(GitStoreError) -> Entry? {
        guard let start = rest.baseAddress, !rest.isEmpty else { return nil }
        // The shortest entry has a digit, a space, one byte of name and the NUL.
        guard rest.count >= GitOID.byteCount + 4 else { throw .malformed("a tree entry is cut off") }
        var mode: UInt32 = 0
        var index = 0
        while true {
            let byte = rest[index]
            if byte == UInt8(ascii: " ") { break }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "7"), index < 7 else {
                throw .malformed("a tree entry has no valid mode")
            }
            mode = mode << 3 | UInt32(byte & 7)
            index += 1
        }
        guard index > 0 else { throw .malformed("a tree entry has no valid mode") }
        let nameStart = start + index + 1
        let limit = rest.count - index - 1 - GitOID.byteCount
        guard limit > 0, let end = memchr(nameStart, 0, limit) else { throw .malformed("a tree entry is cut off") }
        let length = UnsafeRawPointer(end) - nameStart
        guard length > 0 else { throw .malformed("a tree entry has no name") }
        let entry = Entry(
            mode: mode, name: UnsafeRawBufferPointer(start: nameStart, count: length),
            oidBytes: nameStart + length + 1, hasZeroPaddedMode: rest[0] == UInt8(ascii: "0"))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(index + 1 + length + 1 + GitOID.byteCount))
        return entry
    }

    /// All entries as values of their own.
    static func entries(of tree: UnsafeRawBufferPointer) throws(GitStoreError) -> [GitTreeEntry] {
        var parser = TreeParser(tree)
        var entries: [GitTreeEntry] = []
        while let entry = try parser.next() {
            entries.append(GitTreeEntry(mode: entry.mode, name: Array(entry.name), oid: entry.oid))
        }
        return entries
    }

    /// The raw tree of entries that are already in git's order.
    static func encode(_ entries: [GitTreeEntry]) -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries {
            bytes.append(contentsOf: String(entry.mode, radix: 8).utf8)
            bytes.append(UInt8(ascii: " "))
            bytes.append(contentsOf: entry.name)
            bytes.append(0)
            bytes.append(contentsOf: entry.oid.bytes)
        }
        return bytes
    }

    /// Git's order: by bytes, a tree as if its name ended in `/`.
    static func precedes(_ left: GitTreeEntry, _ right: GitTreeEntry) -> Bool {
        let slash = [UInt8(ascii: "/")]
        let leftName = left.isTree ? left.name + slash : left.name
        let rightName = right.isTree ? right.name + slash : right.name
        return leftName.lexicographicallyPrecedes(rightName)
    }
}
