/// Content that lies in open files, so that the kernel can send it without its bytes passing through the program.
package protocol FileContent: Sendable {
    var sizeBytes: Int64 { get }

    /// The parts of the content from its start; each call begins anew.
    func makeFileParts() -> any FileParts
}

/// The parts of a content, one after another. Used by one task.
package protocol FileParts: Sendable {
    /// The next parts, together at most `limit` bytes, brought into memory so that sending them does not wait for the disk; none at
    /// the end.
    /// - Throws: when the disk fails, or a file has become shorter.
    func next(limit: Int64) async throws -> [FilePart]
}

/// Bytes of an open file.
package struct FilePart: Sendable {
    /// Keeps the file open.
    private let owner: any AnyObject & Sendable
    package let descriptor: Int32
    package let range: Range<Int64>

    package init(owner: any AnyObject & Sendable, descriptor: Int32, range: Range<Int64>) {
        self.owner = owner
        self.descriptor = descriptor
        self.range = range
    }
}
