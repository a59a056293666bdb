import CHubPlatform
import Glibc
import HubCore
import NIOCore

/// Bytes of an open file that are a part of an object.
struct FileSegment {
    let file: OpenFile
    var range: Range<Int64>
}

/// Walks the bytes of a range of an object, wherever they lie.
///
/// Its calls block.
///
/// Unchecked: its owner awaits each job before it starts the next, so no two threads are here at once.
final class SegmentCursor: @unchecked Sendable {
    private let id: ObjectID
    /// `nil` for an object that is a file: its one segment is `current` from the start.
    private let recipe: RecipeSegments?
    private var current: FileSegment?

    init(id: ObjectID, source: ObjectSource, range: Range<Int64>, store: FileObjectStore) {
        self.id = id
        switch source {
        case .file(let file):
            recipe = nil
            current = range.isEmpty ? nil : FileSegment(file: file, range: range)
        case .recipe(let open):
            recipe = RecipeSegments(open, range: range, store: store)
        }
    }

    /// The next `count` bytes.
    /// - Throws: `ObjectStoreError.damaged` when there are fewer: what is short must not look whole to its receiver.
    func read(_ count: Int) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        while buffer.readableBytes < count {
            guard let part = try take(Int64(count - buffer.readableBytes)) else { throw ObjectStoreError.damaged(id) }
            let read = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: part.range.count) { bytes in
                try part.file.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(part.range.count)),
                    at: part.range.lowerBound)
            }
            guard read == part.range.count else { throw ObjectStoreError.damaged(id) }
        }
        return buffer
    }

    /// Feeds the next bytes, at most `count`, to a digest, through a buffer of the caller's; returns how many there were.
    func digest(
        into digest: SHA256Digest, buffer: UnsafeMutableRawBufferPointer, _ count: Int64, dropsFromCache: Bool
    ) throws -> Int64 {
        var done: Int64 = 0
        while done < count, let part = try take(min(count - done, Int64(buffer.count))) {
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<part.range.count])
            guard try part.file.read(into: target, at: part.range.lowerBound) == target.count else {
                throw ObjectStoreError.damaged(id)
            }
            try digest.update(UnsafeRawBufferPointer(target))
            if dropsFromCache { part.file.dropFromCache(part.range) }
            done += Int64(target.count)
        }
        return done
    }

    /// Brings the next parts into memory, together at most `limit` bytes; none at the end.
    func load(_ limit: Int64) throws -> [FilePart] {
        var parts: [FilePart] = []
        var left = limit
        while left > 0, let part = try take(left) {
            guard Int64(try part.file.status().st_size) >= part.range.upperBound else {
                throw ObjectStoreError.damaged(id)
            }
            let code = hub_load_range(part.file.descriptor, part.range.lowerBound, Int64(part.range.count))
            guard code == 0 else { throw FileFault(operation: "reading an object", code: code) }
            parts.append(FilePart(owner: part.file, descriptor: part.file.descriptor, range: part.range))
            left -= Int64(part.range.count)
        }
        return parts
    }

    /// The next bytes if they are known to be in memory already.
    ///
    /// Does not wait, so it may be asked anywhere.
    func takeLoaded(_ limit: Int64) -> FilePart? {
        guard let segment = current else { return nil }
        let end = min(segment.range.lowerBound + limit, segment.range.upperBound)
        let range = segment.range.lowerBound..<end
        guard hub_range_is_in_memory(segment.file.descriptor, range.lowerBound, Int64(range.count)) == 1 else {
            return nil
        }
        current =
            end == segment.range.upperBound
            ? nil : FileSegment(file: segment.file, range: end..<segment.range.upperBound)
        return FilePart(owner: segment.file, descriptor: segment.file.descriptor, range: range)
    }

    /// The next bytes that lie together, at most `limit`; `nil` at the end.
    private func take(_ limit: Int64) throws -> FileSegment? {
        if current == nil { current = try recipe?.next() }
        guard var segment = current else { return nil }
        let end = min(segment.range.lowerBound + limit, segment.range.upperBound)
        let part = FileSegment(file: segment.file, range: segment.range.lowerBound..<end)
        segment.range = end..<segment.range.upperBound
        current = segment.range.isEmpty ? nil : segment
        return part
    }
}
