import HubCore

@testable import GitStore

/// Makes packs in code, right or wrong.
struct PackBuilder {
    enum Entry {
        case whole(GitObjectType, [UInt8])
        /// A delta on the entry of that number.
        case offsetDelta(Int, [UInt8])
        case referenceDelta(GitOID, [UInt8])
        /// A header that claims another kind or size than the data has.
        case lying(PackEntryKind, sizeBytes: Int, [UInt8])
        /// Bytes as they are.
        case raw([UInt8])
    }

    private(set) var entries: [Entry] = []
    /// What the header says instead of the real count.
    var claimedCount: Int?
    var signature = Array("PACK".utf8)
    var version: UInt8 = 2
    var trailer: GitOID?
    var suffix: [UInt8] = []

    /// - Returns: the object's name.
    @discardableResult
    mutating func add(_ type: GitObjectType, _ bytes: [UInt8]) throws -> GitOID {
        entries.append(.whole(type, bytes))
        return try ObjectHasher.name(of: type, bytes)
    }

    @discardableResult
    mutating func add(_ type: GitObjectType, _ text: String) throws -> GitOID { try add(type, Array(text.utf8)) }

    mutating func add(_ entry: Entry) { entries.append(entry) }

    /// Adds a tree in git's order.
    @discardableResult
    mutating func add(tree: [(mode: UInt32, name: String, oid: GitOID)]) throws -> GitOID {
        let entries = tree.map { GitTreeEntry(mode: $0.mode, name: Array($0.name.utf8), oid: $0.oid) }
        return try add(.tree, TreeParser.encode(entries.sorted(by: TreeParser.precedes)))
    }

    /// Adds a commit by a person who follows the rules.
    @discardableResult
    mutating func add(commitOf tree: GitOID, parents: [GitOID] = [], message: String = "Change\n") throws -> GitOID {
        let parentLines = parents.map { "parent \($0)\n" }.joined()
        return try add(.commit, "tree \(tree)\n\(parentLines)\(Self.people)\n\(message)")
    }

    static let people = """
        author Ada <ada@example.com> 1700000000 +0000
        committer Ada <ada@example.com> 1700000000 +0000

        """

    /// The bytes of the pack.
    var bytes: [UInt8] {
        let deflater = Deflater()
        var pack = signature + [0, 0, 0, version]
        let count = UInt32(claimedCount ?? entries.count)
        pack += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }
        var offsets: [Int] = []
        for entry in entries {
            offsets.append(pack.count)
            switch entry {
            case .whole(let type, let bytes):
                PackEntryHeader.encode(PackEntryKind(type), sizeBytes: bytes.count, into: &pack)
                pack += deflater.deflate(bytes)
            case .offsetDelta(let base, let delta):
                let distance = pack.count - offsets[base]
                PackEntryHeader.encode(.offsetDelta(distance: distance), sizeBytes: delta.count, into: &pack)
                pack += deflater.deflate(delta)
            case .referenceDelta(let base, let delta):
                PackEntryHeader.encode(.referenceDelta(base: base), sizeBytes: delta.count, into: &pack)
                pack += deflater.deflate(delta)
            case .lying(let kind, let size, let bytes):
                PackEntryHeader.encode(kind, sizeBytes: size, into: &pack)
                pack += deflater.deflate(bytes)
            case .raw(let bytes): pack += bytes
            }
        }
        let checksum = trailer ?? pack.withUnsafeBytes { SHA1.of($0) }
        return pack + checksum.bytes + suffix
    }

    /// A delta from one text to another; the whole target inserted where nothing is common.
    static func delta(from base: [UInt8], to target: [UInt8]) -> [UInt8] {
        let made = base.withUnsafeBytes { base in
            target.withUnsafeBytes { Delta.make(from: base, to: $0, maximumBytes: .max / 4) }
        }
        if let made { return made }
        var delta = size(base.count) + size(target.count)
        var rest = target[...]
        while !rest.isEmpty {
            let piece = rest.prefix(127)
            delta += [UInt8(piece.count)] + piece
            rest = rest.dropFirst(127)
        }
        return delta
    }

    /// A size as deltas write it.
    static func size(_ value: Int) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
