import GitStore
import HubCore
import ModelFormats
import NIOCore
import ObjectStore

/// Reads files of one commit, from git or from the large objects of the repository.
struct FileContents: Sendable {
    let repository: Repository
    let objects: GitObjects
    let threads: GitThreads
    let lfs: LFSService

    /// A whole file.
    /// - Throws: `FormatError` when it has more than `limit` bytes.
    func read(_ file: RepositoryFile, limit: Int64) async throws -> [UInt8] {
        guard file.sizeBytes <= limit else { throw FormatError("The file has \(file.sizeBytes) bytes; at most \(limit) are read.") }
        return try await source(of: file).read(0..<file.sizeBytes)
    }

    func source(of file: RepositoryFile) async throws -> any ByteSource {
        guard let object = file.object else {
            return BlobSource(oid: file.oid, sizeBytes: file.sizeBytes, objects: objects, threads: threads)
        }
        let reader = try await lfs.open(object, in: repository)
        return LargeObjectSource(sizeBytes: file.sizeBytes) { range in
            var bytes: [UInt8] = []
            bytes.reserveCapacity(range.count)
            for try await piece in reader.read(range, pieceBytes: 1 << 20) { bytes.append(contentsOf: piece.readableBytesView) }
            return bytes
        }
    }
}

/// A file that git holds itself.
private struct BlobSource: ByteSource {
    let oid: GitOID
    let sizeBytes: Int64
    let objects: GitObjects
    let threads: GitThreads

    func read(_ range: Range<Int64>) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        for try await piece in try objects.blob(oid, range: range, threads: threads) {
            bytes.append(contentsOf: piece.readableBytesView)
        }
        return bytes
    }
}

/// A large object, of which only the ranges asked for are read.
private struct LargeObjectSource: ByteSource {
    let sizeBytes: Int64
    let readRange: @Sendable (Range<Int64>) async throws -> [UInt8]

    func read(_ range: Range<Int64>) async throws -> [UInt8] { try await readRange(range) }
}
