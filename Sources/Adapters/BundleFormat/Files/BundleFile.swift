import CHubPlatform
import Glibc
import HubCore

/// A file on a medium or a source of one, read and written at offsets. Calls block and retry when a signal interrupts them.
///
/// Errors name the file as `name`, which messages may show.
package final class BundleFile: Sendable {
    let descriptor: Int32
    let name: String

    private init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    deinit { close(descriptor) }

    /// Opens a regular file and follows no link to it.
    package static func reading(_ path: String, name: String) throws(BundleError) -> BundleFile {
        // Without O_NONBLOCK a FIFO in the place of a file would wait for ever.
        let file = try opening(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, name: name)
        guard try file.status().st_mode & S_IFMT == S_IFREG else { throw .inaccessible(path: name, code: EINVAL) }
        // Advice only.
        _ = posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
        return file
    }

    /// Opens a file to write and read it; makes it when there is none, and keeps what is in it.
    package static func writing(_ path: String, name: String) throws(BundleError) -> BundleFile {
        try opening(path, O_RDWR | O_CREAT | O_NOFOLLOW, name: name)
    }

    private static func opening(_ path: String, _ flags: Int32, name: String) throws(BundleError) -> BundleFile {
        let descriptor = open(path, flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw fault(errno, name: name) }
        return BundleFile(descriptor: descriptor, name: name)
    }

    package func status() throws(BundleError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.fault(errno, name: name) }
        return status
    }

    package func sizeBytes() throws(BundleError) -> Int64 { Int64(try status().st_size) }

    /// Fills `bytes` from `offset`; returns how many there were before the end of the file.
    package func readUpTo(_ bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws(BundleError) -> Int {
        var done = 0
        while done < bytes.count {
            let count = pread(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, Int(offset) + done)
            if count < 0 {
                if errno == EINTR { continue }
                throw Self.fault(errno, name: name)
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Fills `bytes` from `offset`.
    /// - Throws: `BundleError.truncated` where the file ends before.
    package func read(_ bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws(BundleError) {
        guard try readUpTo(bytes, at: offset) == bytes.count else { throw .truncated(file: name) }
    }

    package func read(count: Int, at offset: Int64) throws(BundleError) -> [UInt8] {
        var fault: BundleError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(BundleError) {
                try read(UnsafeMutableRawBufferPointer(buffer), at: offset)
                initialized = count
            } catch {
                fault = error
            }
        }
        if let fault { throw fault }
        return bytes
    }

    /// Has the system begin to read a range, for a reader that is about to do something else first.
    func readAhead(_ range: Range<Int64>) {
        // Advice only.
        _ = posix_fadvise(descriptor, Int(range.lowerBound), range.count, POSIX_FADV_WILLNEED)
    }

    /// Lets go of the memory that a range of the file takes after it was read.
    func dropFromMemory(_ range: Range<Int64>) {
        // Advice only.
        _ = posix_fadvise(descriptor, Int(range.lowerBound), range.count, POSIX_FADV_DONTNEED)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(BundleError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, Int(offset) + done)
            if count < 0 {
                if errno == EINTR { continue }
                throw Self.fault(errno, name: name)
            }
            done += count
        }
    }

    func truncate(to size: Int64) throws(BundleError) {
        guard ftruncate(descriptor, Int(size)) == 0 else { throw Self.fault(errno, name: name) }
    }

    /// Makes the content durable.
    func sync() throws(BundleError) {
        while fsync(descriptor) != 0 {
            if errno != EINTR { throw Self.fault(errno, name: name) }
        }
    }

    /// Starts the write-back of a range without waiting for it; a file system that cannot is synced at the end all the same.
    func startWriteback(_ range: Range<Int64>) { _ = hub_start_writeback(descriptor, range.lowerBound, range.upperBound - range.lowerBound) }

    /// Waits for the write-back of a range and lets go of its memory.
    func finishWriteback(_ range: Range<Int64>) { _ = hub_finish_writeback(descriptor, range.lowerBound, range.upperBound - range.lowerBound) }

    /// What an error of the system means: the medium is gone, is full, or the file cannot be used.
    static func fault(_ code: Int32, name: String) -> BundleError {
        switch code {
        case EIO, ENXIO, ENODEV, ESTALE, ENOMEDIUM, EREMOTEIO, ENOTCONN, ESHUTDOWN: .mediumFailed(file: name, code: code)
        case ENOSPC, EDQUOT, EFBIG: .mediumFull(file: name)
        default: .inaccessible(path: name, code: code)
        }
    }
}
