import CHubPlatform
import FoundationEssentials
import Glibc
import HubCore
import NIOCore

/// An upload on its way into a temporary file, hashed as it is written. Used by one job at a time, on a blocking thread.
///
/// Write-back starts with each piece and is waited for 64 MiB behind, where pages are dropped from the cache: the disk works while
/// bytes arrive, the final `fsync` has little left to do, and an upload does not push other files out of memory (`storage-io.md` §3).
///
/// Unchecked: `ObjectUpload` awaits each job before it starts the next, so no two threads are here at once.
final class IncomingFile: @unchecked Sendable {
    static let writebackDistance: Int64 = 64 << 20

    private let path: String
    private let digest: SHA256Digest
    private let flight: Flights.Flight?
    /// `nil` when another copy of the object is stored already: the bytes are hashed only.
    private var file: OpenFile?
    private(set) var sizeBytes: Int64 = 0
    private var writebackDone: Int64 = 0

    /// - Parameter keepsBytes: false when the object is there and only its sender's knowledge of it is to be proved.
    init(path: String, flight: Flights.Flight?, keepsBytes: Bool) throws {
        self.path = path
        self.flight = flight
        digest = try SHA256Digest()
        file = keepsBytes ? try OpenFile.creating(path) : nil
    }

    /// Takes over the file of an upload in parts and hashes what `prefix` does not cover.
    init(adopting path: String, prefix: PartialHashes.Prefix?, flight: Flights.Flight?) throws {
        self.path = path
        self.flight = flight
        // Read-only, as a completion that failed half-way may have made the file so already; it can be synced all the same.
        guard let file = try OpenFile.reading(path) else { throw ObjectStoreError.uploadNotFound }
        let size = Int64(try file.status().st_size)
        digest = try prefix?.digest ?? SHA256Digest()
        var offset = prefix?.hashedTo ?? 0
        file.adviseSequential()
        while offset < size {
            let buffer = try file.read(at: offset, count: Int(min(4 << 20, size - offset)))
            guard buffer.readableBytes > 0 else { break }
            try buffer.withUnsafeReadableBytes { try digest.update($0) }
            offset += Int64(buffer.readableBytes)
        }
        sizeBytes = offset
        self.file = file
    }

    deinit { discard() }

    /// Whether there is a file that can become the object.
    var keepsBytes: Bool { file != nil }

    func append(_ piece: [ByteBuffer]) throws {
        // Once another upload has stored the object this one's copy is of no use.
        if flight?.isStored == true { discard() }
        let start = sizeBytes
        for buffer in piece {
            try buffer.withUnsafeReadableBytes { bytes in
                try digest.update(bytes)
                try file?.write(bytes, at: sizeBytes)
            }
            sizeBytes += Int64(buffer.readableBytes)
        }
        guard let file, sizeBytes > start else { return }
        try file.startWriteback(start..<sizeBytes)
        let end = sizeBytes - Self.writebackDistance
        if end > writebackDone {
            try file.finishWriteback(writebackDone..<end)
            writebackDone = end
        }
    }

    /// The hash of all bytes; call it once, after the last `append`.
    func finishHash() throws -> ObjectID { try digest.finish() }

    /// Makes the content durable under its temporary name, read-only.
    func makeDurable() throws {
        guard let file else { return }
        guard fchmod(file.descriptor, 0o440) == 0 else { throw FileFault(operation: "fchmod", code: errno) }
        try file.sync()
    }

    /// Gives the file its final name.
    func rename(to target: String) throws {
        guard Glibc.rename(path, target) == 0 else { throw FileFault.outOfSpaceOr("rename", errno) }
        file = nil
    }

    /// Lets go of the file and leaves it where it is.
    func leave() { file = nil }

    /// Removes the temporary file, if there is one.
    func discard() {
        guard file != nil else { return }
        // A file that cannot be removed is removed by the next start.
        _ = unlink(path)
        file = nil
    }
}
