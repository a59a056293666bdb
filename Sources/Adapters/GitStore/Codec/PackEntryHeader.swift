import HubCore

/// What a pack entry holds: a whole object, or a delta and where its base is.
enum PackEntryKind: Hashable, Sendable {
    case commit
    case tree
    case blob
    case tag
    /// The base begins `distance` bytes before this entry.
    case offsetDelta(distance: Int)
    case referenceDelta(base: GitOID)

    init(_ type: GitObjectType) {
        switch type {
        case .commit: self = .commit
        case .tree: self = .tree
        case .blob: self = .blob
        case .tag: self = .tag
        }
    }

    /// The type of a whole object; `nil` for a delta, whose type is its base's.
    var wholeType: GitObjectType? {
        switch self {
        case .commit: .commit
        case .tree: .tree
        case .blob: .blob
        case .tag: .tag
        case .offsetDelta, .referenceDelta: nil
        }
    }
}

/// The head of a pack entry, before its zlib stream (git `gitformat-pack(5)`).
///
///     type and low 4 bits of the size, then 7 bits a byte: 0x95 0x0a = commit of 165 bytes
///     offset delta: distance in 7-bit groups, high first; reference delta: 20 bytes of base name
enum PackEntryHeader {
    /// No header is longer: 10 bytes of size and 20 of base name.
    static let maximumByteCount = 30

    /// Reads the header at the start of `entry`.
    ///
    /// `sizeBytes` is the inflated size, of the delta itself for a delta; `headerByteCount` includes the information
    /// on the base.
    @inline(__always)
    static func parse(
        _ entry: UnsafeRawBufferPointer
    ) throws(GitStoreError) -> (kind: PackEntryKind, sizeBytes: Int, headerByteCount: Int) {
        guard var byte = entry.first else { throw .malformed("a pack entry is cut off") }
        let type = byte >> 4 & 7
        var size = UInt64(byte & 15)
        var shift: UInt64 = 4
        var index = 1
        while byte & 0x80 != 0 {
            guard index < entry.count else { throw .malformed("a pack entry is cut off") }
            guard shift <= 53 else { throw .malformed("a pack entry claims an impossible size") }
            byte = entry[index]
            size |= UInt64(byte & 0x7f) << shift
            shift += 7
            index += 1
        }
        let kind: PackEntryKind
        switch type {
        case 1: kind = .commit
        case 2: kind = .tree
        case 3: kind = .blob
        case 4: kind = .tag
        case 6:
            let distance = try parseDistance(entry, at: &index)
            kind = .offsetDelta(distance: distance)
        case 7:
            guard entry.count - index >= GitOID.byteCount, let base = entry.baseAddress else {
                throw .malformed("a pack entry is cut off")
            }
            kind = .referenceDelta(base: GitOID(bytes: base + index))
            index += GitOID.byteCount
        default: throw .malformed("a pack entry has the unknown type \(type)")
        }
        return (kind, Int(size), index)
    }

    @inline(__always)
    private static func parseDistance(
        _ entry: UnsafeRawBufferPointer, at index: inout Int
    ) throws(GitStoreError) -> Int {
        guard index < entry.count else { throw .malformed("a pack entry is cut off") }
        var byte = entry[index]
        index += 1
        var distance = UInt64(byte & 0x7f)
        while byte & 0x80 != 0 {
            guard index < entry.count else { throw .malformed("a pack entry is cut off") }
            guard distance < 1 << 54 else { throw .malformed("a delta's base is at an impossible distance") }
            byte = entry[index]
            index += 1
            distance = (distance + 1) << 7 | UInt64(byte & 0x7f)
        }
        guard distance > 0 else { throw .malformed("a delta names itself as its base") }
        return Int(distance)
    }

    /// The bytes of a header, for writers.
    static func encode(_ kind: PackEntryKind, sizeBytes: Int, into bytes: inout [UInt8]) {
        let type: UInt8
        switch kind {
        case .commit: type = 1
        case .tree: type = 2
        case .blob: type = 3
        case .tag: type = 4
        case .offsetDelta: type = 6
        case .referenceDelta: type = 7
        }
        var rest = UInt64(sizeBytes)
        var byte = type << 4 | UInt8(rest & 15)
        rest >>= 4
        while rest != 0 {
            bytes.append(byte | 0x80)
            byte = UInt8(rest & 0x7f)
            rest >>= 7
        }
        bytes.append(byte)
        switch kind {
        case .commit, .tree, .blob, .tag: break
        case .offsetDelta(let distance): encodeDistance(UInt64(distance), into: &bytes)
        case .referenceDelta(let base): bytes.append(contentsOf: base.bytes)
        }
    }

    private static func encodeDistance(_ distance: UInt64, into bytes: inout [UInt8]) {
        var groups = [UInt8(distance & 0x7f)]
        var rest = distance >> 7
        while rest != 0 {
            rest -= 1
            groups.append(0x80 | UInt8(rest & 0x7f))
            rest >>= 7
        }
        bytes.append(contentsOf: groups.reversed())
    }
}
