import GitStore
import HubCore
import Hummingbird
import NIOCore
import Repositories

/// Answers `POST …/git-upload-pack` in any protocol version.
struct UploadPackResponder: Sendable {
    let git: GitService

    /// - Parameter fairKey: who computes; the queue of pack computations goes round these.
    func respondV2(_ lines: [PktLine], repository: Repository, fairKey: String) async throws -> ResponseBody {
        switch try UploadPackV2.parse(lines) {
        case .none: return ResponseBody()
        case .listReferences(let request):
            let state = try await git.references(of: repository)
            var buffer = ByteBuffer()
            ReferenceListing(state: state).writeListing(request, to: &buffer)
            return ResponseBody(byteBuffer: buffer)
        case .objectInfo(let sizes, let oids):
            let snapshot = try await git.snapshot(of: repository)
            let answer = try await git.threads.run {
                var buffer = ByteBuffer()
                try UploadPackV2.writeObjectInfo(sizes: sizes, oids: oids, objects: snapshot.objects, to: &buffer)
                return buffer
            }
            return ResponseBody(byteBuffer: answer)
        case .fetch(let request):
            let snapshot = try await git.snapshot(of: repository)
            let fetch = try await makeFetch(request, snapshot: snapshot)
            let negotiation = try await git.threads.run {
                try UploadPackV2.negotiate(request, fetch: fetch, objects: snapshot.objects)
            }
            guard negotiation.sendsPack else { return ResponseBody(byteBuffer: negotiation.head) }
            return packBody(
                head: negotiation.head, fetch: fetch, snapshot: snapshot,
                framing: FetchFraming(sideBandLimit: PktLine.maximumSideBandBytes, showsProgress: !request.has("no-progress")),
                fairKey: fairKey)
        }
    }

    func respondV0(_ lines: [PktLine], repository: Repository, fairKey: String) async throws -> ResponseBody {
        let exchange = try UploadPackV0(lines)
        let request = exchange.request
        guard !request.wants.isEmpty else { return ResponseBody() }
        let snapshot = try await git.snapshot(of: repository)
        let fetch = try await makeFetch(request, snapshot: snapshot)
        let (head, sendsPack) = try await git.threads.run {
            try exchange.negotiate(fetch: fetch, objects: snapshot.objects)
        }
        guard sendsPack else { return ResponseBody(byteBuffer: head) }
        let limit = request.has("side-band-64k") ? PktLine.maximumSideBandBytes : request.has("side-band") ? 995 : nil
        return packBody(
            head: head, fetch: fetch, snapshot: snapshot,
            framing: FetchFraming(sideBandLimit: limit, showsProgress: !request.has("no-progress")), fairKey: fairKey)
    }

    /// Checks the wants, keeps the haves that the hub knows, and resolves `deepen-not`.
    private func makeFetch(_ request: UploadPackRequest, snapshot: GitSnapshot) async throws -> FetchRequest {
        let excluded = try request.deepenNot.map { name throws(UploadPackError) in
            guard let oid = snapshot.resolve(name) else { throw .unknownRevision(name) }
            return oid
        }
        return try await git.threads.run {
            for want in request.wants where !snapshot.objects.contains(want) { throw UploadPackError.notOurRef(want) }
            var deepening: Deepening?
            if let depth = request.depth {
                deepening = .depth(depth, relative: request.isDeepenRelative)
            } else if request.deepenSince != nil || !excluded.isEmpty {
                deepening = .history(since: request.deepenSince, not: try excluded.map { try snapshot.objects.peel($0) })
            }
            let includesTags = request.has("include-tag")
            return FetchRequest(
                wants: request.wants, haves: request.haves.filter { snapshot.objects.contains($0) },
                clientShallow: request.clientShallow, deepen: deepening, filter: request.filter,
                isThin: request.has("thin-pack"), usesOffsetDeltas: request.has("ofs-delta"),
                tags: includesTags ? snapshot.references.filter { $0.name.isTag && $0.peeled != nil } : [])
        }
    }

    private func packBody(
        head: ByteBuffer, fetch: FetchRequest, snapshot: GitSnapshot, framing: FetchFraming, fairKey: String
    ) -> ResponseBody {
        let git = self.git
        return ResponseBody { writer in
            try await writer.write(head)
            do {
                let stream = try await git.packStream(
                    fetch, snapshot: snapshot, fairKey: fairKey, framing: framing.packFraming)
                for try await event in stream {
                    switch event {
                    case .data(let bytes): try await writer.write(framing.data(bytes))
                    case .progress(let text): if let packet = framing.progress(text) { try await writer.write(packet) }
                    case .keepAlive: if let packet = framing.keepAlive { try await writer.write(packet) }
                    }
                }
                if framing.sideBandLimit != nil { try await writer.write(ByteBuffer(staticString: "0000")) }
            } catch let refusal as any Refusal {
                guard let packet = framing.failure(refusal.problem.message) else { throw refusal }
                try await writer.write(packet)
            }
            try await writer.finish(nil)
        }
    }
}

/// How pack bytes and progress are wrapped for one client.
struct FetchFraming: Sendable {
    /// The largest payload of a side-band packet; `nil` when the client takes the bare pack.
    let sideBandLimit: Int?
    let showsProgress: Bool

    /// The common kind of side band is laid out where the pack is read.
    var packFraming: PackFraming { sideBandLimit == PktLine.maximumSideBandBytes ? .sideBand64k : .none }

    func data(_ bytes: ByteBuffer) -> ByteBuffer {
        guard let sideBandLimit, packFraming == .none else { return bytes }
        let packets = bytes.readableBytes / sideBandLimit + 1
        var framed = ByteBufferAllocator().buffer(capacity: bytes.readableBytes + packets * 5)
        framed.writeSideBand(1, bytes, limit: sideBandLimit)
        return framed
    }

    func progress(_ text: String) -> ByteBuffer? {
        guard showsProgress, let sideBandLimit else { return nil }
        var packet = ByteBuffer()
        packet.writeSideBand(2, text, limit: sideBandLimit)
        return packet
    }

    /// An empty data packet, so that proxies and `http.lowSpeedLimit` see life: `0005\1`.
    var keepAlive: ByteBuffer? { sideBandLimit == nil ? nil : ByteBuffer(string: "0005\u{1}") }

    func failure(_ text: String) -> ByteBuffer? {
        guard let sideBandLimit else { return nil }
        var packet = ByteBuffer()
        packet.writeSideBand(3, text + "\n", limit: sideBandLimit)
        return packet
    }
}
