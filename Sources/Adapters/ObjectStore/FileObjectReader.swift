import HubCore
import NIOCore

/// A stored object that is open for reading.
package struct FileObjectReader: ObjectReader {
    package let object: StoredObject
    let source: ObjectSource
    private let store: FileObjectStore

    init(object: StoredObject, source: ObjectSource, store: FileObjectStore) {
        self.object = object
        self.source = source
        self.store = store
    }

    package func read(_ range: Range<Int64>, pieceBytes: Int) -> FilePieces {
        FilePieces(id: object.id, source: source, store: store, range: range, pieceBytes: pieceBytes)
    }
}

/// Where the bytes of an object lie.
enum ObjectSource: Sendable {
    /// In a file of their own.
    case file(OpenFile)
    /// In parts of xorbs and other objects.
    case recipe(OpenRecipe)
}

/// The pieces of a range of an object, each read by a blocking thread when it is asked for.
package struct FilePieces: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    let id: ObjectID
    let source: ObjectSource
    let store: FileObjectStore
    package let range: Range<Int64>
    let pieceBytes: Int

    package func makeAsyncIterator() -> Iterator { Iterator(self) }

    package final class Iterator: AsyncIteratorProtocol {
        private let pieces: FilePieces
        private let cursor: SegmentCursor
        private var offset: Int64

        init(_ pieces: FilePieces) {
            self.pieces = pieces
            cursor = pieces.cursor()
            offset = pieces.range.lowerBound
            pieces.store.readMemory.begin()
            if case .file(let file) = pieces.source, pieces.range.count > 4 << 20 { file.adviseSequential() }
        }

        deinit { pieces.store.readMemory.end() }

        package func next() async throws -> ByteBuffer? {
            guard offset < pieces.range.upperBound else { return nil }
            // One piece is being sent while the next is read.
            let share = Swift.min(pieces.pieceBytes, pieces.store.readMemory.pieceBytes(keeping: 2))
            let count = Int(Swift.min(Int64(share), pieces.range.upperBound - offset))
            let cursor = cursor
            let buffer = try await pieces.store.read { try cursor.read(count) }
            offset += Int64(count)
            return buffer
        }
    }

    private func cursor() -> SegmentCursor { SegmentCursor(id: id, source: source, range: range, store: store) }
}

extension FilePieces: FileContent {
    package var sizeBytes: Int64 { Int64(range.count) }

    package func makeFileParts() -> any FileParts { Parts(store: store, cursor: cursor()) }

    private struct Parts: FileParts {
        let store: FileObjectStore
        let cursor: SegmentCursor

        func next(limit: Int64) async throws -> [FilePart] {
            if let part = cursor.takeLoaded(limit) { return [part] }
            return try await store.read { try cursor.load(limit) }
        }
    }
}
