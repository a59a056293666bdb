import Glibc
import HubCore
import NIOCore

/// What of an import's content is staged: a bit for each slot of each content, for each content whose hash was checked, and for each
/// volume that was taken in whole. One file of a header and the bits, replaced in place.
///
/// Bits are set after what they speak of is durable, so a torn write loses at most what was just done. Not shared between threads.
package struct StagingJournal {
    private static let magic = Array("CSGHJ001".utf8)

    /// Of the plan that the bits are counted by; another plan's journal counts for nothing.
    private let key: ObjectID
    private let counts: [Int]
    private var bits: [[UInt8]]

    package enum Kind: Int { case slot, content, volume }

    /// Reads the journal of an area, or begins an empty one.
    package init(of area: StagingArea, key: ObjectID, slots: Int, contents: Int, volumes: Int) throws {
        self.key = key
        counts = [slots, contents, volumes]
        bits = counts.map { [UInt8](repeating: 0, count: ($0 + 7) / 8) }
        guard let file = try OpenFile.reading(area.journalPath) else { return }
        let size = Int(try file.status().st_size)
        guard size == header.count + bits.reduce(0, { $0 + $1.count }) else { return }
        let bytes = Array(try file.read(at: 0, count: size).readableBytesView)
        guard bytes.starts(with: header) else { return }
        var offset = header.count
        for kind in bits.indices {
            bits[kind] = Array(bytes[offset..<(offset + bits[kind].count)])
            offset += bits[kind].count
        }
    }

    package func has(_ kind: Kind, _ index: Int) -> Bool {
        bits[kind.rawValue][index >> 3] & (1 << UInt8(index & 7)) != 0
    }

    package mutating func set(_ kind: Kind, _ index: Int, to isSet: Bool = true) {
        if isSet {
            bits[kind.rawValue][index >> 3] |= 1 << UInt8(index & 7)
        } else {
            bits[kind.rawValue][index >> 3] &= ~(1 << UInt8(index & 7))
        }
    }

    package func hasAll(_ kind: Kind, _ range: Range<Int>) -> Bool { range.allSatisfy { has(kind, $0) } }

    /// Makes the bits durable.
    package func write(to area: StagingArea) throws {
        let path = area.journalPath
        let isNew = access(path, F_OK) != 0
        let file = isNew ? try OpenFile.creating(path) : try OpenFile.writing(path)
        try (header + bits.joined()).withUnsafeBytes { try file.write($0, at: 0) }
        try file.sync()
        if isNew { try Folder.sync(area.path) }
    }

    private var header: [UInt8] {
        var header = Self.magic + (Hex.decode(key.hex) ?? [])
        for count in counts { withUnsafeBytes(of: UInt64(count).littleEndian) { header.append(contentsOf: $0) } }
        return header
    }
}
