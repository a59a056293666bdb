import CHubPlatform
import Glibc
import HubCore
import NIOCore

/// An open file, closed when the last reference to it goes. Its calls block and retry when a signal interrupts them.
final class OpenFile: Sendable {
    let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Opens `path`; `nil` when there is no such file.
    static func reading(_ path: String) throws -> OpenFile? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw FileFault(operation: "open", code: errno) }
        return OpenFile(descriptor: descriptor)
    }

    static func creating(_ path: String) throws -> OpenFile {
        try opening(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    }

    static func writing(_ path: String) throws -> OpenFile { try opening(path, O_RDWR, mode: 0) }

    private static func opening(_ path: String, _ flags: Int32, mode: mode_t) throws -> OpenFile {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw FileFault.outOfSpaceOr("create", errno) }
        return OpenFile(descriptor: descriptor)
    }

    /// Opens `path` for writes past the page cache, of whole blocks from memory and at offsets that are aligned to them; `nil` where the file
    /// system has none.
    static func writingDirectly(_ path: String) -> OpenFile? {
        let descriptor = hub_open_direct(path)
        return descriptor >= 0 ? OpenFile(descriptor: descriptor) : nil
    }

    /// What is at `path`, or `nil`.
    static func status(of path: String) throws -> stat? {
        var status = stat()
        if lstat(path, &status) == 0 { return status }
        guard errno == ENOENT else { throw FileFault(operation: "lstat", code: errno) }
        return nil
    }

    func status() throws -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileFault(operation: "fstat", code: errno) }
        return status
    }

    /// Reads up to `count` bytes from `offset` into a new buffer; fewer only at the end of the file.
    func read(at offset: Int64, count: Int) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
            try read(into: UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(count)), at: offset)
        }
        return buffer
    }

    /// Fills `bytes` from `offset`; returns how many there were before the end of the file.
    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        var done = 0
        while done < bytes.count {
            let count = pread(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, Int(offset) + done)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileFault(operation: "pread", code: errno)
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, Int(offset) + done)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileFault.outOfSpaceOr("pwrite", errno)
            }
            done += count
        }
    }

    /// Makes the content durable.
    func sync() throws {
        while fsync(descriptor) != 0 {
            if errno != EINTR { throw FileFault.syncError("fsync of an object", errno) }
        }
    }

    func syncData() throws {
        while fdatasync(descriptor) != 0 {
            if errno != EINTR { throw FileFault.syncError("fdatasync of an upload", errno) }
        }
    }

    func startWriteback(_ range: Range<Int64>) throws {
        let code = hub_start_writeback(descriptor, range.lowerBound, Int64(range.count))
        guard code == 0 || code == ESPIPE || code == EINVAL else { throw FileFault.syncError("write-back of an object", code) }
    }

    func finishWriteback(_ range: Range<Int64>) throws {
        let code = hub_finish_writeback(descriptor, range.lowerBound, Int64(range.count))
        guard code == 0 || code == ESPIPE || code == EINVAL else { throw FileFault.syncError("write-back of an object", code) }
    }

    func dropFromCache(_ range: Range<Int64>) {
        // Advice only; without it the pages stay until the kernel needs them.
        _ = posix_fadvise(descriptor, Int(range.lowerBound), range.count, POSIX_FADV_DONTNEED)
    }

    func adviseSequential() { _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL) }
}

extension FileFault {
    /// A full disk or quota is a refusal that the user is told; anything else a fault.
    static func outOfSpaceOr(_ operation: String, _ code: Int32) -> any Error {
        code == ENOSPC || code == EDQUOT ? ObjectStoreError.outOfSpace : FileFault(operation: operation, code: code)
    }

    /// Delayed allocation may find the disk full only now; all else leaves open what is on the disk.
    static func syncError(_ operation: String, _ code: Int32) -> any Error {
        code == ENOSPC || code == EDQUOT
            ? ObjectStoreError.outOfSpace : StorageFailure(operation: operation, code: code)
    }
}
