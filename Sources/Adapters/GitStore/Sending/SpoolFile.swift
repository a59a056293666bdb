import Glibc

/// A file without a name that holds a pack in the making.
///
/// It takes disk space until the last reference goes, also through a crash of the process.
final class SpoolFile: Sendable {
    private let descriptor: Int32

    init(folder: String) throws(GitStoreError) {
        let path = "\(folder)/spool-\(UInt64.random(in: .min ... .max))"
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("make a temporary file") }
        unlink(path)
    }

    deinit { close(descriptor) }

    /// Writes at `offset` and answers how many bytes went in: fewer than given where the disk is full or fails.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int {
        var written = 0
        while written < bytes.count, let start = bytes.baseAddress {
            let count = pwrite(descriptor, start + written, bytes.count - written, off_t(offset + written))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            written += count
        }
        return written
    }

    func read(into room: UnsafeMutableRawBufferPointer, at offset: Int) throws(GitStoreError) {
        try FileRead.fill(room, from: descriptor, at: offset)
    }
}

/// Reading at a place of a file, whole or not at all.
enum FileRead {
    static func fill(_ room: UnsafeMutableRawBufferPointer, from descriptor: Int32, at offset: Int)
        throws(GitStoreError)
    {
        var filled = 0
        while filled < room.count, let start = room.baseAddress {
            let count = pread(descriptor, start + filled, room.count - filled, off_t(offset + filled))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("read a pack") }
            guard count > 0 else { throw .corrupt("a pack is shorter than it was") }
            filled += count
        }
    }
}
