import FoundationEssentials
import HubCore
import NIOCore

/// Where large objects live, each named by the SHA-256 of its bytes. `FileObjectStore` is the first backend; one that speaks S3
/// can follow.
///
/// An object that is there is whole and never changes. Which repository may show it to whom is not known here.
package protocol ObjectStore: Sendable {
    /// The sequence of pieces that `ObjectReader.read` returns.
    associatedtype Reader: ObjectReader

    /// Stores `body` unless the object is there already, and returns once it is durable.
    ///
    /// The bytes are read to the end and hashed in either case: they are the proof that the sender has the object. An error of
    /// `body` is thrown as it is. Whatever is thrown, nothing of the upload stays.
    /// - Parameters:
    ///   - expected: the name that the bytes must have; `nil` takes any.
    ///   - sizeBytes: the size that they must have; `nil` takes any.
    /// - Throws: `ObjectStoreError`, or what `body` throws.
    func put<Body: AsyncSequence & Sendable>(
        _ expected: ObjectID?, sizeBytes: Int64?, body: Body
    ) async throws -> StoredObject where Body.Element == ByteBuffer

    /// Opens an object for reading; it stays readable although it is deleted meanwhile.
    /// - Throws: `ObjectStoreError.missing`.
    func open(_ id: ObjectID) async throws -> Reader

    /// What is stored under `id`, or `nil`.
    func stat(_ id: ObjectID) async throws -> StoredObject?

    /// At most `limit` objects in the order of their names, from the one after `last` on.
    func list(after last: ObjectID?, limit: Int) async throws -> [StoredObject]

    /// Deletes an object that nobody has stored or proved since `date`; returns whether it is gone.
    func delete(_ id: ObjectID, unlessTouchedSince date: Date) async throws -> Bool

    /// Reads an object to its end and compares its hash with its name.
    /// - Parameter progress: called with the number of bytes read since the last call.
    /// - Throws: `ObjectStoreError.damaged`, `.missing`.
    func verify(_ id: ObjectID, progress: @escaping @Sendable (Int64) -> Void) async throws
}

/// An object that is open for reading.
package protocol ObjectReader: Sendable {
    associatedtype Pieces: AsyncSequence & Sendable where Pieces.Element == ByteBuffer

    var object: StoredObject { get }

    /// The bytes of `range`, which must lie within the object, in pieces of at most `pieceBytes`. One piece is read ahead of
    /// none: the next one is read when it is asked for, so a slow reader holds one piece in memory.
    func read(_ range: Range<Int64>, pieceBytes: Int) -> Pieces
}

/// The name and size of an object that is stored.
package struct StoredObject: Hashable, Sendable {
    package let id: ObjectID
    package let sizeBytes: Int64
    /// When it was last stored or proved by an upload.
    package let touchedAt: Date

    package init(id: ObjectID, sizeBytes: Int64, touchedAt: Date) {
        self.id = id
        self.sizeBytes = sizeBytes
        self.touchedAt = touchedAt
    }
}
