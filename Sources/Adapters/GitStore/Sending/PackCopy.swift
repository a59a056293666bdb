import HubCore
import NIOCore

/// Sends whole packs as they are stored: the answer to "everything" in a repository whose packs hold just that.
///
/// One pack without appended objects goes out byte for byte. Several are joined: a header with the number of all objects, the
/// entries of each pack, the checksum of that. Offset deltas stay right, as they count within their pack; the bases of
/// reference deltas are somewhere in the union, which git's index-pack takes in any order.
final class PackCopy: PackEventSource, @unchecked Sendable {
    private enum Segment {
        case bytes([UInt8])
        case pack(Pack, Range<Int>)

        var count: Int {
            switch self {
            case .bytes(let bytes): bytes.count
            case .pack(_, let range): range.count
            }
        }
    }

    private let threads: GitThreads
    private let framing: PackFraming
    private let learned: @Sendable (GitOID) -> Void
    // Touched only in `next` and in the work that it awaits, so by one thread at a time.
    private var segments: [Segment]
    private var offset = 0
    private var messages: [String]
    /// Present while the checksum at the end is not known.
    private var hash: Hash?

    /// SHA-1 in a box, as a class cannot hold an optional value that is not copyable across suspension.
    private final class Hash {
        var sha1 = SHA1()
    }

    /// - Parameters:
    ///   - trailer: The checksum of the joined pack, when it is known from an earlier copy.
    ///   - learned: Told the checksum when it has been computed.
    init(
        _ objects: GitObjects, threads: GitThreads, framing: PackFraming, trailer: GitOID?,
        learned: @escaping @Sendable (GitOID) -> Void
    ) {
        self.threads = threads
        self.framing = framing
        self.learned = learned
        let total = objects.packs.reduce(0) { $0 + $1.ownObjectCount }
        messages = ["Enumerating objects: \(total), done.\n"]
        let byID = Dictionary(objects.opened.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let parts = objects.packs.compactMap { description in byID[description.id].map { (description, $0) } }
        if let (description, pack) = parts.first, parts.count == 1, description.bodyEnd == description.sizeBytes - 20 {
            segments = [.pack(pack, 0..<pack.sizeBytes)]
        } else {
            segments = [.bytes(PackHeader.bytes(objectCount: total))]
            for (description, pack) in parts {
                segments.append(.pack(pack, Pack.headerBytes..<Int(description.bodyEnd)))
            }
            if let trailer { segments.append(.bytes(trailer.bytes)) } else { hash = Hash() }
        }
        segments.removeAll { $0.count == 0 }
        segments.reverse()
    }

    /// Whether the packs of a snapshot, joined, are just what a request asks for.
    static func answers(
        _ request: FetchRequest, _ objects: GitObjects, allReferences: Set<GitOID>, hasUnreachable: Bool
    ) -> Bool {
        request.haves.isEmpty && request.clientShallow.isEmpty && request.deepen == nil && request.filter == nil
            && request.usesOffsetDeltas && !hasUnreachable && !allReferences.isEmpty
            && allReferences.isSubset(of: request.wants)
            && objects.packs.allSatisfy { pack in
                pack.isDisjoint && pack.isFullyReachable && pack.bodyEnd >= 12 && pack.bodyEnd <= pack.sizeBytes - 20
            }
    }

    func next() async throws -> PackEvent? {
        if let message = messages.popLast() { return .progress(message) }
        guard !segments.isEmpty || hash != nil else { return nil }
        return .data(try await threads.run { try self.readBlock() })
    }

    private func readBlock() throws(GitStoreError) -> ByteBuffer {
        guard let segment = segments.last else { return try trailerBlock() }
        let count = min(PackBlock.payloadBytes(framing), segment.count - offset)
        let block = try PackBlock.make(count: count, framing: framing) { region throws(GitStoreError) in
            switch segment {
            case .bytes(let bytes): region.copyBytes(from: bytes[offset..<offset + region.count])
            case .pack(let pack, let range):
                try FileRead.fill(region, from: pack.descriptor, at: range.lowerBound + offset)
            }
            hash?.sha1.update(UnsafeRawBufferPointer(region))
            offset += region.count
        }
        if offset == segment.count {
            segments.removeLast()
            offset = 0
        }
        return block
    }

    private func trailerBlock() throws(GitStoreError) -> ByteBuffer {
        let trailer = hash?.sha1.finish() ?? .zero
        hash = nil
        learned(trailer)
        return try PackBlock.make(count: GitOID.byteCount, framing: framing) { $0.copyBytes(from: trailer.bytes) }
    }
}
