/// A durable write whose outcome is unknown: the kernel reported an I/O error while bytes were on their way to the disk.
///
/// After it nobody can tell what is stored, so nothing may be acknowledged: the process ends at once and the restart decides
/// (`storage-io.md` §1). Whoever gets one passes it to the closure that ends the process and does nothing else.
package struct StorageFailure: Error, Hashable, CustomStringConvertible {
    /// What was being done: `fsync of an object`.
    package let operation: String
    /// The errno value, or SQLite's code for the database.
    package let code: Int32

    package init(operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    package var description: String { "\(operation) failed with code \(code)" }
}
