/// A file whose ranges can be read, wherever it lies.
package protocol ByteSource: Sendable {
    var sizeBytes: Int64 { get }
    /// The bytes of `range`, which lies within the file.
    func read(_ range: Range<Int64>) async throws -> [UInt8]
}

/// A file in memory.
package struct MemoryBytes: ByteSource {
    private let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var sizeBytes: Int64 { Int64(bytes.count) }

    package func read(_ range: Range<Int64>) async throws -> [UInt8] {
        Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
    }
}

/// Reads little-endian values of a file from front to back, a window at a time, up to a bound.
struct ByteCursor<Source: ByteSource> {
    static var windowBytes: Int64 { 256 << 10 }

    private let source: Source
    /// Nothing behind it is read.
    private let end: Int64
    private var window: [UInt8] = []
    private var windowStart: Int64 = 0
    private(set) var position: Int64 = 0

    init(_ source: Source, limit: Int64) {
        self.source = source
        end = min(source.sizeBytes, limit)
    }

    mutating func unsigned32() async throws -> UInt32 { UInt32(try await integer(4)) }

    mutating func unsigned64() async throws -> UInt64 { try await integer(8) }

    mutating func bytes(_ count: Int) async throws -> [UInt8] {
        let start = try await load(count)
        position += Int64(count)
        return Array(window[start..<start + count])
    }

    mutating func skip(_ count: UInt64) throws {
        guard count <= UInt64(end - position) else { throw FormatError("The file ends early, or its header is too large.") }
        position += Int64(count)
    }

    private mutating func integer(_ count: Int) async throws -> UInt64 {
        let start = try await load(count)
        position += Int64(count)
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(window[start + index]) << UInt64(index * 8) }
        return value
    }

    /// Where in the window the next `count` bytes begin.
    private mutating func load(_ count: Int) async throws -> Int {
        guard Int64(count) <= end - position else { throw FormatError("The file ends early, or its header is too large.") }
        let offset = position - windowStart
        if offset >= 0, offset + Int64(count) <= Int64(window.count) { return Int(offset) }
        try Task.checkCancellation()
        let upper = min(end, position + max(Int64(count), Self.windowBytes))
        window = try await source.read(position..<upper)
        windowStart = position
        guard window.count >= count else { throw FormatError("The file ends early.") }
        return 0
    }
}
