import Glibc
import HubCore
import NIOCore

/// A range of a xorb as clients get it: each chunk's header and its raw bytes, put together as they are sent.
package struct XorbPieces: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    let store: FileObjectStore
    let table: XorbTable
    package let range: Range<Int>
    let pieceBytes: Int

    package func makeAsyncIterator() -> Iterator { Iterator(self) }

    package final class Iterator: AsyncIteratorProtocol {
        private let pieces: XorbPieces
        private let reader: SerializedXorbReader
        private var offset: Int

        init(_ pieces: XorbPieces) {
            self.pieces = pieces
            reader = SerializedXorbReader(store: pieces.store, table: pieces.table)
            offset = pieces.range.lowerBound
            pieces.store.readMemory.begin()
        }

        deinit { pieces.store.readMemory.end() }

        package func next() async throws -> ByteBuffer? {
            guard offset < pieces.range.upperBound else { return nil }
            let share = Swift.min(pieces.pieceBytes, pieces.store.readMemory.pieceBytes(keeping: 2))
            let end = Swift.min(offset + share, pieces.range.upperBound)
            let part = offset..<end
            let reader = reader
            let buffer = try await pieces.store.read { try reader.read(part) }
            offset = end
            return buffer
        }
    }
}

/// Reads parts of a xorb in the form that clients get.
///
/// Its calls block.
///
/// Unchecked: its owner awaits each job before it starts the next.
private final class SerializedXorbReader: @unchecked Sendable {
    private let store: FileObjectStore
    private let table: XorbTable
    /// The file with the raw bytes and where they begin in it, once opened.
    private var data: FileSegment?

    init(store: FileObjectStore, table: XorbTable) {
        self.store = store
        self.table = table
    }

    func read(_ part: Range<Int>) throws -> ByteBuffer {
        let data = try data ?? store.xorbSegment(table.xorb, offset: 0, length: table.xorb.rawBytes)
        self.data = data
        var buffer = ByteBufferAllocator().buffer(capacity: part.count)
        var position = part.lowerBound
        var chunk = chunkIndex(at: position)
        while position < part.upperBound {
            let start = XorbTable.serializedOffset(raw: table.offsets[chunk], chunk: chunk)
            let dataStart = start + XorbChunkHeader.byteCount
            if position < dataStart {
                withUnsafeTemporaryAllocation(byteCount: XorbChunkHeader.byteCount, alignment: 8) { header in
                    XorbChunkHeader(rawBytes: table.chunks[chunk].length).write(to: header)
                    let end = min(dataStart, part.upperBound)
                    buffer.writeBytes(UnsafeRawBufferPointer(rebasing: header[(position - start)..<(end - start)]))
                    position = end
                }
            } else {
                let end = min(dataStart + table.chunks[chunk].length, part.upperBound)
                let offset = data.range.lowerBound + Int64(table.offsets[chunk] + position - dataStart)
                let count = end - position
                let read = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
                    try data.file.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(count)), at: offset)
                }
                guard read == count else { throw XetStoreError.damagedXorb(table.xorb.hash) }
                position = end
            }
            if position == dataStart + table.chunks[chunk].length { chunk += 1 }
        }
        return buffer
    }

    /// The chunk, its header included, that a byte belongs to.
    private func chunkIndex(at position: Int) -> Int {
        var low = 0
        var high = table.chunks.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if XorbTable.serializedOffset(raw: table.offsets[middle], chunk: middle) <= position {
                low = middle
            } else {
                high = middle - 1
            }
        }
        return low
    }
}

extension FileObjectStore {
    /// Bytes of a xorb as clients get it; the range must lie within `XorbTable.serializedBytes`.
    package func readXorb(_ table: XorbTable, _ range: Range<Int>, pieceBytes: Int) -> XorbPieces {
        XorbPieces(store: self, table: table, range: range, pieceBytes: pieceBytes)
    }
}
