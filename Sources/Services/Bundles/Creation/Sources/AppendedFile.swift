import Glibc
import HubCore
import Synchronization

/// A new file that is written from its start to its end.
///
/// A failure is kept and thrown by `close`, as some writers cannot pass it on.
package final class AppendedFile: Sendable {
    private let descriptor: Int32
    private let path: String
    private let failure = Mutex<CreationError?>(nil)

    package init(_ path: String) throws(CreationError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system(operation: "Making", path: path, code: errno) }
    }

    deinit { Glibc.close(descriptor) }

    package func append(_ bytes: [UInt8]) throws(CreationError) {
        bytes.withUnsafeBytes { append($0) }
        try check()
    }

    package func append(_ bytes: UnsafeRawBufferPointer) {
        failure.withLock { failure in
            var rest = bytes
            while failure == nil, !rest.isEmpty {
                let count = write(descriptor, rest.baseAddress, rest.count)
                if count < 0 {
                    if errno != EINTR { failure = .system(operation: "Writing", path: path, code: errno) }
                    continue
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }

    private func check() throws(CreationError) { if let failure = failure.withLock({ $0 }) { throw failure } }

    /// Makes what was written durable.
    package func close() throws(CreationError) {
        try check()
        guard fdatasync(descriptor) == 0 else { throw .system(operation: "Syncing", path: path, code: errno) }
    }
}
