import HubCore
import Synchronization

/// An open pack with its index.
final class Pack: Sendable {
    static let headerBytes = 12
    static let trailerBytes = 20

    let id: PackID
    let index: PackIndex
    private let file: MappedFile
    /// The whole file.
    ///
    /// Valid as long as the pack is.
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
    private let lazyOffsets = Mutex<PackOffsets?>(nil)

    /// Opens `<folder>/pack-<id>.pack` and `.idx` and checks that they belong together.
    init(_ description: PackDescription, folder: String) throws(GitStoreError) {
        id = description.id
        let base = "\(folder)/pack-\(description.id)"
        file = try MappedFile(path: base + ".pack", operation: "open a pack", keepsDescriptor: true)
        bytes = file.bytes
        guard bytes.count >= Self.headerBytes + Self.trailerBytes, Int64(bytes.count) == description.sizeBytes else {
            throw .corrupt("a pack does not have its size")
        }
        guard bytes.bigEndian32(at: 0) == 0x5041_434b, [2, 3].contains(bytes.bigEndian32(at: 4)) else {
            throw .corrupt("a pack does not begin as packs do")
        }
        index = try PackIndex(
            file: MappedFile(path: base + ".idx", operation: "open a pack index"), packBytes: bytes.count)
        guard index.count == Int(bytes.bigEndian32(at: 8)), index.count == description.objectCount else {
            throw .corrupt("a pack and its index differ in their number of objects")
        }
        guard index.packChecksum == id.oid, checksum == id.oid else {
            throw .corrupt("a pack and its index do not belong together")
        }
    }

    /// The descriptor of the file, for `pread`.
    ///
    /// Valid as long as the pack is.
    var descriptor: Int32 { file.descriptor }

    var sizeBytes: Int { file.count }

    /// Lets go of the pages of the mapped file, after much of it was read in one go.
    func releasePages() { file.release() }

    /// Where the entries end.
    var trailerStart: Int { file.count - Self.trailerBytes }

    /// The bytes from an offset to the trailer.
    ///
    /// The offset comes from the index or was checked against `headerBytes`.
    @inline(__always)
    func entry(at offset: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[offset..<trailerStart])
    }

    /// The order of the entries in the file, made at first use and kept.
    var offsets: PackOffsets {
        lazyOffsets.withLock { cached in
            if let cached { return cached }
            let made = PackOffsets(index: index, trailerStart: trailerStart)
            cached = made
            return made
        }
    }

    private var checksum: GitOID { GitOID(bytes: bytes.suffix(Self.trailerBytes)) ?? .zero }
}
