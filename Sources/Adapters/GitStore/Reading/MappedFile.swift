import Glibc
import HubCore

/// A whole file, open for reading and mapped into memory, until the last reference goes.
///
/// The file may be unlinked meanwhile. Files of the store never change once they are published, so what was checked at
/// opening stays true.
final class MappedFile: Sendable {
    /// For `pread`; -1 when it is not kept. Valid as long as the `MappedFile` is.
    let descriptor: Int32
    let count: Int
    /// The content.
    ///
    /// Valid as long as the `MappedFile` is; nobody writes to it.
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    /// - Parameters:
    ///   - operation: What is being done, for the error: `open a pack`.
    ///   - keepsDescriptor: A mapping lives without one, and a process has few.
    init(path: String, operation: String, keepsDescriptor: Bool = false) throws(GitStoreError) {
        let opened = open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else { throw .system(operation) }
        var status = stat()
        guard fstat(opened, &status) == 0, status.st_size >= 0 else {
            let code = errno
            close(opened)
            throw .system(operation, code: code)
        }
        let size = Int(status.st_size)
        var mapped: UnsafeRawPointer?
        if size > 0 {
            guard let start = mmap(nil, size, PROT_READ, MAP_SHARED, opened, 0), start != MAP_FAILED else {
                let code = errno
                close(opened)
                throw .system(operation, code: code)
            }
            mapped = UnsafeRawPointer(start)
        }
        if !keepsDescriptor { close(opened) }
        descriptor = keepsDescriptor ? opened : -1
        count = size
        bytes = UnsafeRawBufferPointer(start: mapped, count: size)
    }

    /// Lets go of the pages that were touched; they stay in the system's cache and come back when they are read.
    func release() {
        guard let start = bytes.baseAddress else { return }
        // Only a hint: without it the pages count as this process's memory for longer.
        _ = madvise(UnsafeMutableRawPointer(mutating: start), count, MADV_DONTNEED)
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), count) }
        if descriptor >= 0 { close(descriptor) }
    }
}
