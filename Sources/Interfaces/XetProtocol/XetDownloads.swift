import HTTPTypes
import HubCore
import Hummingbird
import NIOCore
import ObjectStore
import Repositories
import WebCore

/// What clients fetch: how files are put together, and the bytes for it.
struct XetDownloads: Sendable {
    /// The two forms of a reconstruction.
    enum Form: Sendable {
        case first, second
    }

    private let call: XetCall

    init(_ call: XetCall) { self.call = call }

    func reconstruction(_ file: XetHash, form: Form) async throws -> Response {
        let access = try await call.access(for: .read)
        let range = try Self.range(call.request.headers[.range])
        let plan = try await call.xet.plan(of: file, range: range, for: access)
        guard plan.isLarge else { return try await answer(plan, form) }
        let (xet, call) = (call.xet, call)
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                try await xet.beginLargePlan(for: access)
                defer { xet.endLargePlan(for: access) }
                try await XetDownloads(call).answer(plan, form).body.write(writer)
            })
    }

    private func answer(_ plan: XetPlan, _ form: Form) async throws -> Response {
        let reconstruction = try await call.xet.reconstruction(plan)
        let address = XetMiddleware.address(of: call.xet, in: call.context)
        let xet = call.xet
        func link(_ xorb: XetHash, _ bytes: Range<Int>) -> String {
            "\(address)/xorbdata/\(xorb)?grant=\(xet.link(to: XorbGrant(xorb: xorb, range: bytes)))"
        }
        return switch form {
        case .first: call.answer(ReconstructionForms.First(reconstruction, link: link))
        case .second: call.answer(ReconstructionForms.Second(reconstruction, link: link))
        }
    }

    func lengthOfFile(_ file: XetHash) async throws -> Response {
        let access = try await call.access(for: .read)
        return length(try await call.xet.sizeBytes(of: file, for: access))
    }

    func lengthOfXorb(_ xorb: XetHash) async throws -> Response {
        let access = try await call.access(for: .read)
        let length = try await call.xet.serializedBytes(of: xorb, for: access)
        guard let length else { throw XetError.xorbNotFound }
        return self.length(Int64(length))
    }

    private func length(_ bytes: Int64) -> Response {
        Response(status: .ok, headers: [.contentLength: String(bytes), .cacheControl: "no-store"], body: .init())
    }

    func deduplication(_ chunk: XetHash) async throws -> Response {
        let access = try await call.access(for: .read)
        guard let shard = try await call.xet.deduplication(for: chunk, access: access) else {
            throw XetRequestError.notFound
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/octet-stream", .contentLength: String(shard.count),
                .cacheControl: "no-store",
            ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: shard)))
    }

    /// Bytes of a xorb by a signed link, which says how far it goes; there is no other sign-in.
    func bytesOfXorb(_ xorb: XetHash) async throws -> Response {
        let text = call.request.uri.queryParameters["grant"].map(String.init) ?? ""
        let grant: XorbGrant
        do {
            grant = try call.xet.grant(of: text)
        } catch {
            // 403 makes the client ask for the file anew, with new links.
            throw ProblemError(.forbidden, code: "invalid_link", "This link has expired or was not made by this hub.")
        }
        guard grant.xorb == xorb, let range = try Self.range(call.request.headers[.range]),
            let start = Int(exactly: range.lowerBound),
            let end = Int(exactly: range.upperBound), end < grant.range.upperBound, start >= grant.range.lowerBound
        else { throw XetRequestError.invalidRange }
        let table = try await call.xet.table(of: grant)
        let bytes = start..<(end + 1)
        let headers: HTTPFields = [
            .contentType: "application/octet-stream", .acceptRanges: "bytes", .contentLength: String(bytes.count),
            .contentRange: "bytes \(start)-\(end)/\(table.serializedBytes)", .cacheControl: "private, no-transform",
        ]
        if call.request.method == .head { return Response(status: .partialContent, headers: headers, body: .init()) }
        let pieces = call.xet.bytes(of: table, bytes, pieceBytes: ContentResponse.pieceBytes(in: call.context))
        return Response(
            status: .partialContent, headers: headers,
            body: ResponseBody(contentLength: bytes.count) { writer in
                try await writer.write(pieces)
                try await writer.finish(nil)
            })
    }

    /// `bytes=a-b` or `bytes=a-`; anything else that is there is refused, as no client sends it.
    static func range(_ header: String?) throws -> ClosedRange<Int64>? {
        guard let header else { return nil }
        guard header.hasPrefix("bytes=") else { throw XetRequestError.invalidRange }
        let ends = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let first = Int64(ends[0]),
            let last = ends[1].isEmpty ? Int64.max - 1 : Int64(ends[1]), first <= last
        else { throw XetRequestError.invalidRange }
        return first...min(last, Int64.max - 1)
    }
}

/// JSON of reconstructions.
///
/// Ends of `range` and `chunks` are exclusive, those of bytes inclusive.
enum ReconstructionForms {
    typealias Link = (XetHash, Range<Int>) -> String

    struct Span: Encodable {
        let start: Int
        let end: Int
    }

    struct Term: Encodable {
        let hash: String
        let unpacked_length: Int
        let range: Span

        init(_ term: XetReconstruction.Term) {
            hash = term.xorb.hex
            unpacked_length = term.rawBytes
            range = Span(start: term.chunks.lowerBound, end: term.chunks.upperBound)
        }
    }

    struct First: Encodable {
        struct Fetch: Encodable {
            let range: Span
            let url: String
            let url_range: Span
        }

        let offset_into_first_range: Int64
        let terms: [Term]
        let fetch_info: [String: [Fetch]]

        init(_ reconstruction: XetReconstruction, link: Link) {
            offset_into_first_range = reconstruction.offsetIntoFirstTerm
            terms = reconstruction.terms.map(Term.init)
            var fetches: [String: [Fetch]] = [:]
            for (xorb, parts) in reconstruction.fetches {
                fetches[xorb.hex] = parts.map { part in
                    Fetch(
                        range: Span(start: part.chunks.lowerBound, end: part.chunks.upperBound),
                        url: link(xorb, part.bytes),
                        url_range: Span(start: part.bytes.lowerBound, end: part.bytes.upperBound - 1))
                }
            }
            fetch_info = fetches
        }
    }

    struct Second: Encodable {
        struct Part: Encodable {
            let chunks: Span
            let bytes: Span
        }

        struct Fetch: Encodable {
            let url: String
            let ranges: [Part]
        }

        let offset_into_first_range: Int64
        let terms: [Term]
        let xorbs: [String: [Fetch]]

        init(_ reconstruction: XetReconstruction, link: Link) {
            offset_into_first_range = reconstruction.offsetIntoFirstTerm
            terms = reconstruction.terms.map(Term.init)
            var fetches: [String: [Fetch]] = [:]
            for (xorb, parts) in reconstruction.fetches {
                // One range a link: several would have to be answered as multipart.
                fetches[xorb.hex] = parts.map { part in
                    let chunks = Span(start: part.chunks.lowerBound, end: part.chunks.upperBound)
                    let bytes = Span(start: part.bytes.lowerBound, end: part.bytes.upperBound - 1)
                    return Fetch(url: link(xorb, part.bytes), ranges: [Part(chunks: chunks, bytes: bytes)])
                }
            }
            xorbs = fetches
        }
    }
}
