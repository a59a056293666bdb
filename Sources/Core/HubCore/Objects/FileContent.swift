/// Content that lies in an open file, so that the kernel can send it without its bytes passing through the program.
package protocol FileContent: Sendable {
    /// Open for reading as long as the content exists.
    var descriptor: Int32 { get }
    /// The bytes of the file that are the content.
    var range: Range<Int64> { get }

    /// Whether a part of the range is in memory already. Does not wait, so it may be asked anywhere.
    func isLoaded(_ part: Range<Int64>) -> Bool

    /// Brings a part of the range into memory, so that sending it does not wait for the disk.
    /// - Throws: when the disk fails, or the file has become shorter.
    func load(_ part: Range<Int64>) async throws
}
