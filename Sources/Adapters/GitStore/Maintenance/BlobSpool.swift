import Glibc
import HubCore
import Synchronization

/// A file that arrives in pieces and will be a blob: git needs its size before its first byte, so it waits on disk.
///
/// Lies in the quarantine of an `ObjectWriter` and goes with the last reference.
///
/// Unchecked: `lock` protects `file`.
package final class BlobSpool: @unchecked Sendable {
    private let lock = Mutex(())
    private let file: OutputFile
    private let maximumBytes: Int64

    init(path: String, maximumBytes: Int64) throws(GitStoreError) {
        file = try OutputFile(creating: path)
        self.maximumBytes = maximumBytes
        // It needs no name; one that cannot be removed now goes with its folder.
        unlink(path)
    }

    package var sizeBytes: Int64 { lock.withLock { _ in file.sizeBytes } }

    /// - Throws: `.refused(.overLimit)` when it becomes too large for git.
    package func append(_ bytes: [UInt8]) throws(GitStoreError) {
        try lock.withLock { _ throws(GitStoreError) in
            guard file.sizeBytes + Int64(bytes.count) <= maximumBytes else {
                throw .refused(
                    .overLimit("a file stored in git is larger than \(maximumBytes) bytes; track it with Git LFS"))
            }
            try file.append(bytes)
        }
    }

    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(GitStoreError) -> Int {
        let wanted = min(buffer.count, Int(sizeBytes - offset))
        guard wanted > 0 else { return 0 }
        while true {
            let count = pread(file.descriptor, buffer.baseAddress, wanted, Int(offset))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .system("read a file back", code: count == 0 ? EIO : errno) }
            return count
        }
    }
}
