import COpenSSL
import Foundation
import HubCore
import HubTestSupport
import NIOCore
import ObjectStore
import Synchronization

/// An object store in a folder of its own.
final class TestObjects: Sendable {
    let folder: TemporaryFolder
    let store: FileObjectStore
    let failures = Mutex<[StorageFailure]>([])

    init(reserveBytes: Int64? = 0) throws {
        folder = try TemporaryFolder("objects")
        store = try Self.open(folder, reserveBytes: reserveBytes)
    }

    /// A second store on the same folders, as after a restart.
    func reopen() throws -> FileObjectStore { try Self.open(folder, reserveBytes: 0) }

    private static func open(_ folder: TemporaryFolder, reserveBytes: Int64?) throws -> FileObjectStore {
        var settings = FileObjectStore.Settings { failure in preconditionFailure("\(failure)") }
        settings.reserveBytes = reserveBytes
        return try FileObjectStore(root: folder.file("objects"), staging: folder.file("staging"), settings: settings)
    }

    func path(of id: ObjectID) -> String {
        folder.file("objects/\(id.hex.prefix(2))/\(id.hex.dropFirst(2).prefix(2))/\(id)")
    }

    /// Everything in staging, the folders that are always there excepted.
    var staged: [String] {
        get throws {
            try FileManager.default.subpathsOfDirectory(atPath: folder.file("staging")).filter { $0 != "uploads" }
        }
    }

    func read(_ id: ObjectID, _ range: Range<Int64>? = nil, pieceBytes: Int = 1 << 20) async throws -> [UInt8] {
        let reader = try await store.open(id)
        var bytes: [UInt8] = []
        for try await piece in reader.read(range ?? 0..<reader.object.sizeBytes, pieceBytes: pieceBytes) {
            bytes += piece.readableBytesView
        }
        return bytes
    }
}

extension TestObjects {
    /// The bytes of an object as the server sends them, part by part from files.
    func readFileParts(_ id: ObjectID, _ range: Range<Int64>) async throws -> [UInt8] {
        let parts = try await store.open(id).read(range, pieceBytes: 1 << 20).makeFileParts()
        var bytes: [UInt8] = []
        while true {
            let next = try await parts.next(limit: 100_000)
            if next.isEmpty { return bytes }
            for part in next {
                var piece = [UInt8](repeating: 0, count: part.range.count)
                let count = pread(part.descriptor, &piece, piece.count, Int(part.range.lowerBound))
                bytes += piece.prefix(max(0, count))
            }
        }
    }

    /// What all files below `objects` have together.
    var storedBytes: Int64 {
        get throws {
            let root = folder.file("objects")
            return try FileManager.default.subpathsOfDirectory(atPath: root).reduce(0) { total, path in
                let attributes = try FileManager.default.attributesOfItem(atPath: "\(root)/\(path)")
                guard attributes[.type] as? FileAttributeType == .typeRegular else { return total }
                return total + Int64(attributes[.size] as? Int ?? 0)
            }
        }
    }

    /// Changes a byte of a stored file.
    func damage(_ path: String, at offset: Int) throws {
        let file = folder.file("objects/\(path)")
        var content = try Data(contentsOf: URL(filePath: file))
        content[content.startIndex + offset] ^= 1
        try FileManager.default.removeItem(atPath: file)
        try content.write(to: URL(filePath: file))
    }
}

/// Content for tests: the same for the same seed.
struct TestContent: Sendable {
    let bytes: [UInt8]
    let id: ObjectID
    var size: Int64 { Int64(bytes.count) }

    init(_ count: Int, seed: UInt64 = 1) {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        let block = (0..<min(count, 65_521)).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state)
        }
        var bytes: [UInt8] = []
        while bytes.count < count { bytes += block.prefix(count - bytes.count) }
        self.init(bytes: bytes)
    }

    init(bytes: [UInt8]) {
        var digest = [UInt8](repeating: 0, count: 32)
        SHA256(bytes, bytes.count, &digest)
        self.bytes = bytes
        id = ObjectID(digest: digest)
    }

    /// The bytes in buffers of `piece` bytes; then, if so asked, an error instead of the end.
    func body(piece: Int = 1000, failure: (any Error)? = nil) -> AsyncThrowingStream<ByteBuffer, any Error> {
        AsyncThrowingStream { continuation in
            for start in stride(from: 0, to: bytes.count, by: piece) {
                continuation.yield(ByteBuffer(bytes: bytes[start..<min(start + piece, bytes.count)]))
            }
            continuation.finish(throwing: failure)
        }
    }
}

/// The client went away.
struct ClientGone: Error {}

/// A body that waits for a signal in the middle, so that two uploads are under way at once.
struct PausedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let content: TestContent
    let gate: AsyncStream<Void>

    struct Iterator: AsyncIteratorProtocol {
        var rest: ArraySlice<UInt8>
        let half: Int
        var gate: AsyncStream<Void>.Iterator?

        mutating func next() async -> ByteBuffer? {
            if rest.count <= half, var opened = gate {
                _ = await opened.next()
                gate = nil
            }
            guard !rest.isEmpty else { return nil }
            let piece = rest.prefix(1000)
            rest = rest.dropFirst(1000)
            return ByteBuffer(bytes: piece)
        }
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(rest: content.bytes[...], half: content.bytes.count / 2, gate: gate.makeAsyncIterator())
    }
}
