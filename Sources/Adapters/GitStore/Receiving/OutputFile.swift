import CHubPlatform
import Glibc
import HubCore

/// A file that is being written, closed when the last reference goes.
///
/// Used by one thread at a time.
final class OutputFile {
    /// Write-back starts every so many bytes, so that the `fsync` at the end finds little left to do.
    private static let writebackBytes: Int64 = 8 << 20

    let path: String
    let descriptor: Int32
    private(set) var sizeBytes: Int64 = 0
    private var writebackStart: Int64 = 0

    /// Makes a new file that only this process may read.
    init(creating path: String) throws(GitStoreError) {
        let opened = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        guard opened >= 0 else { throw .system("make a file") }
        self.path = path
        descriptor = opened
    }

    deinit { close(descriptor) }

    func append(_ bytes: UnsafeRawBufferPointer) throws(GitStoreError) {
        try write(bytes, at: sizeBytes)
        sizeBytes += Int64(bytes.count)
        if sizeBytes - writebackStart >= Self.writebackBytes { startWriteback() }
    }

    func append(_ bytes: [UInt8]) throws(GitStoreError) {
        try withBytes(of: bytes) { (buffer) throws(GitStoreError) in try append(buffer) }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(GitStoreError) {
        var done = 0
        while done < bytes.count, let start = bytes.baseAddress {
            let written = pwrite(descriptor, start + done, bytes.count - done, Int(offset) + done)
            if written < 0 {
                if errno == EINTR { continue }
                throw .system("write a file")
            }
            done += written
        }
    }

    /// Takes back what was appended after the file had this size.
    func truncate(to size: Int64) throws(GitStoreError) {
        guard ftruncate(descriptor, Int(size)) == 0 else { throw .system("shorten a file") }
        sizeBytes = size
        writebackStart = min(writebackStart, size)
    }

    /// Gives `visit` the bytes from the start up to `end`, in pieces.
    func read(upTo end: Int64, _ visit: (UnsafeRawBufferPointer) -> Void) throws(GitStoreError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while offset < end {
            let count = pread(descriptor, buffer.baseAddress, min(buffer.count, Int(end - offset)), Int(offset))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .system("read a file back", code: count == 0 ? EIO : errno) }
            visit(UnsafeRawBufferPointer(rebasing: buffer.prefix(count)))
            offset += Int64(count)
        }
    }

    /// Ends a pack whose number of entries was not known when its header was written: sets it and appends the checksum.
    func finishPack(objectCount: Int) throws(GitStoreError) -> GitOID {
        try withBytes(of: PackHeader.bytes(objectCount: objectCount)) { (header) throws(GitStoreError) in
            try write(header, at: 0)
        }
        var hash = SHA1()
        try read(upTo: sizeBytes) { hash.update($0) }
        let checksum = hash.finish()
        try append(checksum.bytes)
        return checksum
    }

    private func startWriteback() {
        // Only a hint: file systems that do not know it write at fsync.
        _ = hub_start_writeback(descriptor, writebackStart, sizeBytes - writebackStart)
        writebackStart = sizeBytes
    }
}

/// Lends the bytes of an array to a closure that may throw.
func withBytes<Value, Failure: Error>(
    of bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
) throws(Failure) -> Value {
    try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) in try body(UnsafeRawBufferPointer(buffer)) }
}
