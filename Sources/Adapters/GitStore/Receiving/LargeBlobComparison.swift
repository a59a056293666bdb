import HubCore

/// Compares a large blob of a received pack with the one of the same name that the repository has, piece by piece.
struct LargeBlobComparison {
    private static let pieceBytes = 256 << 10

    let existing: GitObjects
    let oid: GitOID
    let sizeBytes: Int

    /// - Parameter stored: The blob's zlib stream in the received pack, followed by anything.
    func isEqual(to stored: UnsafeRawBufferPointer) throws(GitStoreError) -> Bool {
        guard let number = existing.number(of: oid), let header = try existing.header(of: oid) else { return true }
        guard header.type == .blob, header.sizeBytes == Int64(sizeBytes) else { return false }
        let ordinal = existing.ordinal(of: number)
        let pack = existing.opened[ordinal]
        let entry = pack.entry(at: pack.index.offset(at: number - existing.firstNumber(ofPack: ordinal)))
        let entryHeader = try PackEntryHeader.parse(entry)
        guard entryHeader.kind == .blob else {
            // A delta is never larger than `maximumDeltaObjectBytes`.
            let object = try existing.read(oid, limit: header.sizeBytes)
            return try withBytes(of: object.bytes) { (bytes) throws(GitStoreError) in
                try isEqual(stored, toBytes: bytes)
            }
        }
        return try isEqual(stored, toStream: UnsafeRawBufferPointer(rebasing: entry[entryHeader.headerByteCount...]))
    }

    private func isEqual(_ stored: UnsafeRawBufferPointer, toBytes bytes: UnsafeRawBufferPointer) throws(GitStoreError) -> Bool {
        var reader = PieceReader(stored)
        let piece = ObjectBuffer(count: Self.pieceBytes)
        var done = 0
        while done < sizeBytes {
            let count = min(Self.pieceBytes, sizeBytes - done)
            piece.resize(to: count)
            try reader.fill(piece.mutableBytes)
            guard piece.bytes.isEqual(to: UnsafeRawBufferPointer(rebasing: bytes[done..<done + count])) else { return false }
            done += count
        }
        return true
    }

    private func isEqual(_ stored: UnsafeRawBufferPointer, toStream other: UnsafeRawBufferPointer) throws(GitStoreError) -> Bool {
        var left = PieceReader(stored)
        var right = PieceReader(other)
        let leftPiece = ObjectBuffer(count: Self.pieceBytes)
        let rightPiece = ObjectBuffer(count: Self.pieceBytes)
        var done = 0
        while done < sizeBytes {
            let count = min(Self.pieceBytes, sizeBytes - done)
            leftPiece.resize(to: count)
            rightPiece.resize(to: count)
            try left.fill(leftPiece.mutableBytes)
            try right.fill(rightPiece.mutableBytes)
            guard leftPiece.bytes.isEqual(to: rightPiece.bytes) else { return false }
            done += count
        }
        return true
    }
}

/// Inflates a stream that lies in memory, some bytes at a time.
struct PieceReader {
    private let stream = InflateStream()
    private var rest: UnsafeRawBufferPointer

    init(_ stored: UnsafeRawBufferPointer) { rest = stored }

    /// Fills all of `piece`.
    mutating func fill(_ piece: UnsafeMutableRawBufferPointer) throws(GitStoreError) {
        var done = 0
        while done < piece.count {
            let step = try stream.step(rest, into: UnsafeMutableRawBufferPointer(rebasing: piece[done...]))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(step.consumed))
            done += step.produced
            guard step.produced > 0 || step.consumed > 0 else { throw .malformed("a compressed object is cut off") }
            guard done == piece.count || !step.isFinished else { throw .malformed("a compressed object is too short") }
        }
    }
}
