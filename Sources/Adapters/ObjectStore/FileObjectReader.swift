import CHubPlatform
import Glibc
import HubCore
import NIOCore

/// A stored object that is open for reading.
package struct FileObjectReader: ObjectReader {
    package let object: StoredObject
    let file: OpenFile
    private let store: FileObjectStore

    init(object: StoredObject, file: OpenFile, store: FileObjectStore) {
        self.object = object
        self.file = file
        self.store = store
    }

    package func read(_ range: Range<Int64>, pieceBytes: Int) -> FilePieces {
        FilePieces(id: object.id, file: file, store: store, range: range, pieceBytes: pieceBytes)
    }
}

/// The pieces of a range of a file, each read by a blocking thread when it is asked for.
package struct FilePieces: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    let id: ObjectID
    let file: OpenFile
    let store: FileObjectStore
    package let range: Range<Int64>
    let pieceBytes: Int

    package func makeAsyncIterator() -> Iterator { Iterator(self) }

    package final class Iterator: AsyncIteratorProtocol {
        private let source: FilePieces
        private var offset: Int64

        init(_ source: FilePieces) {
            self.source = source
            offset = source.range.lowerBound
            source.store.readMemory.begin()
            if source.range.count > 4 << 20 { source.file.adviseSequential() }
        }

        deinit { source.store.readMemory.end() }

        package func next() async throws -> ByteBuffer? {
            guard offset < source.range.upperBound else { return nil }
            let file = source.file
            let start = offset
            // One piece is being sent while the next is read.
            let share = Swift.min(source.pieceBytes, source.store.readMemory.pieceBytes(keeping: 2))
            let count = Int(Swift.min(Int64(share), source.range.upperBound - start))
            let buffer = try await source.store.read { try file.read(at: start, count: count) }
            // The file is shorter than it was when it was opened: it must not look like a whole one to the receiver.
            guard buffer.readableBytes == count else { throw ObjectStoreError.damaged(source.id) }
            offset += Int64(count)
            return buffer
        }
    }
}

extension FilePieces: FileContent {
    package var descriptor: Int32 { file.descriptor }

    package func isLoaded(_ part: Range<Int64>) -> Bool {
        hub_range_is_in_memory(file.descriptor, part.lowerBound, Int64(part.count)) == 1
    }

    package func load(_ part: Range<Int64>) async throws {
        let file = file
        let id = id
        try await store.read {
            guard Int64(try file.status().st_size) >= part.upperBound else { throw ObjectStoreError.damaged(id) }
            let code = hub_load_range(file.descriptor, part.lowerBound, Int64(part.count))
            guard code == 0 else { throw FileFault(operation: "reading an object", code: code) }
        }
    }
}
