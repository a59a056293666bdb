import FoundationEssentials
import Glibc
import HubCore
import NIOCore

/// A part of a file that is known by its chunks: bytes that lie together in one xorb.
package struct RecipeTerm: Hashable, Sendable {
    package let xorb: XetHash
    package let chunks: Range<Int>
    /// Where its bytes begin in the xorb's raw bytes.
    package let rawOffset: Int
    package let rawBytes: Int
    /// Where its bytes begin in the file.
    package let fileOffset: Int64

    /// Where its chunks lie in the xorb as clients get it.
    package var serializedRange: Range<Int> {
        let start = XorbTable.serializedOffset(raw: rawOffset, chunk: chunks.lowerBound)
        return start..<(start + XorbTable.serializedOffset(raw: rawBytes, chunk: chunks.count))
    }

    /// The part of it whose chunks have bytes in `range` of the file, which it touches.
    package func trimmed(to range: Range<Int64>, table: XorbTable) -> RecipeTerm {
        var first = chunks.lowerBound
        var last = chunks.upperBound
        func start(_ chunk: Int) -> Int64 { fileOffset + Int64(table.offsets[chunk] - rawOffset) }
        while first + 1 < last, start(first + 1) <= range.lowerBound { first += 1 }
        while last - 1 > first, start(last - 1) >= range.upperBound { last -= 1 }
        return RecipeTerm(
            xorb: xorb, chunks: first..<last, rawOffset: table.offsets[first],
            rawBytes: table.offsets[last] - table.offsets[first], fileOffset: start(first))
    }
}

/// How a recipe lies on disk: `objects/<ab>/<cd>/<sha256>.recipe`, named like the object whose bytes it tells the places of.
///
/// | bytes | little-endian |
/// | --- | --- |
/// | 8 | `CSGRECP1` |
/// | 8 | size of the object |
/// | 8 | number of terms |
/// | 32 | its SHA-256 |
/// | 8 | zero |
/// | n × 56 | xorb hash, first chunk, last chunk exclusive, offset in the xorb, length (32 bits each), offset in the object (64 bits) |
enum RecipeLayout {
    static let headerBytes = 64
    static let termBytes = 56
    static let suffix = ".recipe"
    private static let mark = Array("CSGRECP1".utf8)

    static func header(sizeBytes: Int64, termCount: Int, id: ObjectID) -> [UInt8] {
        var bytes = mark
        append(sizeBytes, to: &bytes)
        append(Int64(termCount), to: &bytes)
        bytes += Hex.decode(id.hex) ?? []
        append(Int64(0), to: &bytes)
        return bytes
    }

    static func append(_ term: RecipeTerm, to bytes: inout [UInt8]) {
        bytes += term.xorb.bytes
        for number in [term.chunks.lowerBound, term.chunks.upperBound, term.rawOffset, term.rawBytes] {
            append(UInt32(number), to: &bytes)
        }
        append(term.fileOffset, to: &bytes)
    }

    private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Size and number of terms, if the header is that of `id` and fits the length of the file.
    static func parse(_ header: [UInt8], id: ObjectID, fileBytes: Int64) -> (sizeBytes: Int64, termCount: Int)? {
        guard header.count == headerBytes, header.starts(with: mark), ObjectID(digest: header[24..<56]) == id else {
            return nil
        }
        let (size, count) = header.withUnsafeBytes { bytes in
            (
                Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: Int64.self)),
                Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: Int64.self))
            )
        }
        guard size >= 0, count >= 0, count < Int64.max / Int64(termBytes) - 2,
            fileBytes == Int64(headerBytes) + count * Int64(termBytes)
        else { return nil }
        return (size, Int(count))
    }

    static func term(at bytes: UnsafeRawPointer) -> RecipeTerm {
        func number(_ index: Int) -> Int {
            Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 32 + index * 4, as: UInt32.self)))
        }
        let first = number(0)
        return RecipeTerm(
            xorb: XetHash(bytes: bytes), chunks: first..<max(first, number(1)), rawOffset: number(2),
            rawBytes: number(3),
            fileOffset: Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 48, as: Int64.self)))
    }
}

/// An open recipe.
///
/// Its calls block.
package final class OpenRecipe: Sendable {
    package let id: ObjectID
    package let sizeBytes: Int64
    package let termCount: Int
    private let file: OpenFile

    init(id: ObjectID, sizeBytes: Int64, termCount: Int, file: OpenFile) {
        self.id = id
        self.sizeBytes = sizeBytes
        self.termCount = termCount
        self.file = file
    }

    /// Opens the recipe at `path`; `nil` when there is none.
    /// - Throws: `ObjectStoreError.damaged`.
    static func open(_ path: String, _ id: ObjectID) throws -> OpenRecipe? {
        guard let file = try OpenFile.reading(path) else { return nil }
        let header = Array(try file.read(at: 0, count: RecipeLayout.headerBytes).readableBytesView)
        guard let (size, count) = RecipeLayout.parse(header, id: id, fileBytes: Int64(try file.status().st_size)) else {
            throw ObjectStoreError.damaged(id)
        }
        return OpenRecipe(id: id, sizeBytes: size, termCount: count, file: file)
    }

    /// Terms `range`.
    func terms(_ range: Range<Int>) throws -> [RecipeTerm] {
        let start = Int64(RecipeLayout.headerBytes) + Int64(range.lowerBound * RecipeLayout.termBytes)
        let buffer = try file.read(at: start, count: range.count * RecipeLayout.termBytes)
        guard buffer.readableBytes == range.count * RecipeLayout.termBytes else { throw ObjectStoreError.damaged(id) }
        return try buffer.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress else { return [] }
            return try (0..<range.count).map { index in
                let term = RecipeLayout.term(at: base + index * RecipeLayout.termBytes)
                // Whoever reckons with its numbers must not be led astray by a failing disk.
                guard !term.chunks.isEmpty, term.chunks.upperBound <= XetLimits.xorbChunks,
                    term.rawOffset + term.rawBytes <= XetLimits.xorbBytes, (0...sizeBytes).contains(term.fileOffset)
                else { throw ObjectStoreError.damaged(id) }
                return term
            }
        }
    }

    /// The term that byte `offset` of the object is in; `termCount` at its end.
    func termIndex(at offset: Int64) throws -> Int {
        guard offset < sizeBytes else { return termCount }
        var low = 0
        var high = termCount
        while high - low > 1 {
            let middle = (low + high) / 2
            guard let term = try terms(middle..<(middle + 1)).first else { throw ObjectStoreError.damaged(id) }
            if term.fileOffset <= offset { low = middle } else { high = middle }
        }
        return low
    }
}

/// Walks the places of a range of an object that has a recipe.
///
/// Its calls block; used by one thread at a time.
final class RecipeSegments {
    private static let window = 256

    private let recipe: OpenRecipe
    private let store: FileObjectStore
    private var offset: Int64
    private let end: Int64
    private var terms: ArraySlice<RecipeTerm> = []
    private var nextTerm: Int?
    /// The data of the xorbs that were used last, the most recent last; pieces of a file often go back and forth among a few.
    private var open: [(xorb: XetHash, data: FileSegment)] = []

    init(_ recipe: OpenRecipe, range: Range<Int64>, store: FileObjectStore) {
        self.recipe = recipe
        self.store = store
        offset = range.lowerBound
        end = range.upperBound
    }

    /// The next bytes that lie together; `nil` at the end of the range.
    func next() throws -> FileSegment? {
        guard offset < end else { return nil }
        if terms.isEmpty {
            let first = try nextTerm ?? recipe.termIndex(at: offset)
            let last = min(first + Self.window, recipe.termCount)
            terms = try recipe.terms(first..<last)[...]
            nextTerm = last
        }
        guard let term = terms.popFirst(), term.fileOffset <= offset, offset < term.fileOffset + Int64(term.rawBytes)
        else {
            throw ObjectStoreError.damaged(recipe.id)
        }
        let data = try data(of: term.xorb)
        let skipped = offset - term.fileOffset
        let count = min(Int64(term.rawBytes) - skipped, end - offset)
        let start = data.range.lowerBound + Int64(term.rawOffset) + skipped
        guard start + count <= data.range.upperBound else { throw ObjectStoreError.damaged(recipe.id) }
        offset += count
        return FileSegment(file: data.file, range: start..<(start + count))
    }

    private func data(of hash: XetHash) throws -> FileSegment {
        if let index = open.lastIndex(where: { $0.xorb == hash }) { return open[index].data }
        let data: FileSegment
        do {
            let xorb = try OpenXorb.open(store.xorbPath(hash), hash).xorb
            data = try store.xorbSegment(xorb, offset: 0, length: xorb.rawBytes)
        } catch XetStoreError.missingXorb, XetStoreError.damagedXorb {
            throw ObjectStoreError.damaged(recipe.id)
        }
        if open.count == 8 { open.removeFirst() }
        open.append((hash, data))
        return data
    }
}
