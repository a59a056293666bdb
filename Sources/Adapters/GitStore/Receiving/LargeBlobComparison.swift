import Glibc
import HubCore

/// Compares a large blob of a received pack with the one of the same name that the repository has, piece by piece.
struct LargeBlobComparison {
    private static let pieceBytes = 256 << 10

    let existing: GitObjects
    let oid: GitOID
    let sizeBytes: Int

    /// - Parameters:
    ///   - file: Where the blob lies in the received pack.
    ///   - offset: Of its zlib stream.
    func isEqual(toStreamIn file: Int32, at offset: Int) throws(GitStoreError) -> Bool {
        guard let number = existing.number(of: oid), let header = try existing.header(of: oid) else { return true }
        guard header.type == .blob, header.sizeBytes == Int64(sizeBytes) else { return false }
        let ordinal = existing.ordinal(of: number)
        let pack = existing.opened[ordinal]
        let start = pack.index.offset(at: number - existing.firstNumber(ofPack: ordinal))
        let stored = try PackEntryHeader.parse(pack.entry(at: start))
        let received = PieceReader(file, at: offset)
        guard stored.kind == .blob else {
            // A delta is never larger than `maximumDeltaObjectBytes`.
            let object = try existing.read(oid, limit: header.sizeBytes)
            return try isEqual(received, object.bytes)
        }
        return try isEqual(received, PieceReader(pack.descriptor, at: start + stored.headerByteCount))
    }

    private func isEqual(_ received: PieceReader, _ object: [UInt8]) throws(GitStoreError) -> Bool {
        let piece = ObjectBuffer(count: Self.pieceBytes)
        var done = 0
        while done < sizeBytes {
            let count = min(Self.pieceBytes, sizeBytes - done)
            piece.resize(to: count)
            try received.fill(piece.mutableBytes)
            let isSame = withBytes(of: object) {
                piece.bytes.isEqual(to: UnsafeRawBufferPointer(rebasing: $0[done..<done + count]))
            }
            guard isSame else { return false }
            done += count
        }
        return true
    }

    private func isEqual(_ left: PieceReader, _ right: PieceReader) throws(GitStoreError) -> Bool {
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

/// Inflates a zlib stream that lies in a file, some bytes at a time.
///
/// Used by one thread at a time.
final class PieceReader {
    private let stream = InflateStream()
    private let descriptor: Int32
    private let buffer = ObjectBuffer(count: 128 << 10)
    private var offset: Int
    private var rest = UnsafeRawBufferPointer(start: nil, count: 0)

    init(_ descriptor: Int32, at offset: Int) {
        self.descriptor = descriptor
        self.offset = offset
    }

    /// Fills all of `piece`.
    func fill(_ piece: UnsafeMutableRawBufferPointer) throws(GitStoreError) {
        var done = 0
        while done < piece.count {
            if rest.isEmpty { try refill() }
            let step = try stream.step(rest, into: UnsafeMutableRawBufferPointer(rebasing: piece[done...]))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(step.consumed))
            done += step.produced
            guard step.produced > 0 || step.consumed > 0 else { throw .malformed("a compressed object is damaged") }
            guard done == piece.count || !step.isFinished else { throw .malformed("a compressed object is too short") }
        }
    }

    private func refill() throws(GitStoreError) {
        while true {
            let count = pread(descriptor, buffer.mutableBytes.baseAddress, buffer.capacity, offset)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("read a pack") }
            guard count > 0 else { throw .malformed("a compressed object is cut off") }
            offset += count
            rest = UnsafeRawBufferPointer(rebasing: buffer.bytes.prefix(count))
            return
        }
    }
}
