import Foundation
import HTTPTypes
import HubCore
import HubTestSupport
import Identity
import Logging
import MetadataStore
import NIOCore
import ObjectStore
import Repositories
import Testing

@Suite("LFS uploads in parts")
struct LFSPartsTests {
    private let transfers = #"["basic","multipart"]"#

    /// The links of the parts in the order in which the git-lfs agent takes them: the keys sorted as text.
    private func parts(_ action: Action) -> [String] {
        action.header.keys.filter { $0 != "chunk_size" }.sorted().compactMap { action.header[$0] }
            .map { String($0.dropFirst("https://hub.example".count)) }
    }

    private func completion(_ content: LFSContent, _ etags: [String]) -> String {
        let list = etags.enumerated().map { #"{"partNumber":\#($0 + 1),"etag":\#($1.debugDescription)}"# }.joined(
            separator: ",")
        return #"{"oid":"\#(content.oid)","parts":[\#(list)]}"#
    }

    /// Sends parts by their links, without any header of ours, and returns their ETags.
    private func send(_ content: LFSContent, _ links: [String], _ hub: TestLFS, only: [Int]? = nil) async throws
        -> [String]
    {
        var etags: [String] = []
        for (index, link) in links.enumerated() where only?.contains(index) != false {
            let bytes = Array(content.bytes[index * 100_000..<min((index + 1) * 100_000, content.bytes.count)])
            let answer = try await hub.send(.put, link, as: nil, bytes)
            #expect(answer.status == 200)
            etags.append(try #require(answer.headers[.eTag]))
        }
        return etags
    }

    @Test("offers parts for large objects to clients that can, and makes the object of them")
    func uploads() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(250_000)
        let offer = try await hub.batch("upload", content, transfers: transfers)
        #expect(offer.json["transfer"] as? String == "multipart")
        let action = try Action(offer.object, "upload")
        #expect(Set(action.header.keys) == ["chunk_size", "00001", "00002", "00003"])
        #expect(action.header["chunk_size"] == "100000")
        let etags = try await send(content, parts(action), hub)
        let done = try await hub.send(
            .post, action.path, as: nil, Array(completion(content, etags).utf8),
            headers: [.contentType: "application/vnd.git-lfs+json"])
        #expect(done.status == 200)
        #expect(try await hub.send(.get, "objects/\(content.oid)").body == content.bytes)
        let again = try await hub.send(.post, action.path, as: nil, Array(completion(content, etags).utf8))
        #expect(again.status == 200)
    }

    @Test(
        "small objects and clients that cannot go the basic way; links then carry their signature for those that send no headers"
    )
    func basicOtherwise() async throws {
        let hub = try await TestLFS()
        let large = LFSContent(250_000)
        #expect(try await hub.batch("upload", large).json["transfer"] as? String == "basic")
        let small = LFSContent(100)
        let offer = try await hub.batch("upload", small, transfers: transfers)
        #expect(offer.json["transfer"] as? String == "basic")
        let action = try Action(offer.object, "upload")
        #expect(action.header.isEmpty)
        #expect(try await hub.send(.put, action.path, as: nil, small.bytes).status == 200)
    }

    @Test("goes on with the parts that are there")
    func resumes() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(250_000)
        let first = try Action(try await hub.batch("upload", content, transfers: transfers).object, "upload")
        let etags = try await send(content, parts(first), hub, only: [0, 2])
        let second = try Action(try await hub.batch("upload", content, transfers: transfers).object, "upload")
        #expect(first.path.prefix { $0 != "?" } == second.path.prefix { $0 != "?" })
        let middle = try await send(content, parts(second), hub, only: [1])
        let body = completion(content, [etags[0], middle[0], etags[1]])
        #expect(try await hub.send(.post, second.path, as: nil, Array(body.utf8)).status == 200)
    }

    @Test("refuses to complete with parts missing or of another kind, and keeps what is there")
    func incomplete() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(250_000)
        let action = try Action(try await hub.batch("upload", content, transfers: transfers).object, "upload")
        let some = try await send(content, parts(action), hub, only: [0, 1])
        for etags in [some, some + ["\"x\""], []] {
            #expect(
                try await hub.send(.post, action.path, as: nil, Array(completion(content, etags).utf8)).status == 422)
        }
        let last = try await send(content, parts(action), hub, only: [2])
        #expect(
            try await hub.send(.post, action.path, as: nil, Array(completion(content, some + last).utf8)).status == 200)
    }

    @Test("refuses parts that are too long, too short or beyond the end, and links of others")
    func refusesParts() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(250_000)
        let action = try Action(try await hub.batch("upload", content, transfers: transfers).object, "upload")
        let links = parts(action)
        #expect(try await hub.send(.put, links[0], as: nil, Array(content.bytes.prefix(99_999))).status == 422)
        #expect(try await hub.send(.put, links[0], as: nil, Array(content.bytes.prefix(100_001))).status == 422)
        for number in ["0", "4", "x", "99999999"] {
            let link = links[0].replacingOccurrences(of: "/1?", with: "/\(number)?")
            #expect(try await hub.send(.put, link, as: nil, [1]).status == 400)
        }
        let unsigned = String(links[0].prefix { $0 != "?" })
        #expect(try await hub.send(.put, unsigned, as: nil, [1]).status == 401)
        #expect(try await hub.send(.put, unsigned, as: "bob", [1]).status == 404)
        hub.clock.advance(3601)
        #expect(try await hub.send(.put, links[0], as: nil, [1]).status == 401)
    }

    @Test("an account has a bounded number of unfinished uploads, and may go on with those")
    func openUploads() async throws {
        let hub = try await TestLFS(openUploads: 2)
        let contents = (1...3).map { LFSContent(250_000, seed: $0) }
        for content in contents.prefix(2) {
            #expect(try await hub.batch("upload", content, transfers: transfers).object["error"] == nil)
        }
        let refused = try await hub.batch("upload", contents[2], transfers: transfers).object
        #expect((refused["error"] as? [String: Any])?["code"] as? Int == 429 && refused["actions"] == nil)
        let first = try Action(try await hub.batch("upload", contents[0], transfers: transfers).object, "upload")
        let etags = try await send(contents[0], parts(first), hub)
        let body = Array(completion(contents[0], etags).utf8)
        #expect(try await hub.send(.post, first.path, as: nil, body).status == 200)
        #expect(try await hub.batch("upload", contents[2], transfers: transfers).object["error"] == nil)
    }

    @Test("what the uploads of a batch bring together must fit the disk; parts that are there are not counted again")
    func room() async throws {
        let hub = try await TestLFS()
        let contents = (1...2).map { LFSContent(250_000, seed: $0) }
        let oids = try contents.map { try #require(ObjectID(hex: $0.oid)) }
        let account = try await hub.store.account(named: NamespaceName(parsing: "ada"))?.id
        var room: Int64 = 300_000
        func begin(_ index: Int) async throws -> UploadSession {
            try await hub.lfs.beginUpload(
                oids[index], sizeBytes: 250_000, into: hub.repository, account: account, room: &room)
        }
        let session = try await begin(0)
        #expect(room == 50_000)
        await #expect(throws: ObjectStoreError.outOfSpace) { try await begin(1) }
        _ = try await hub.lfs.receivePart(
            1, of: session,
            body: AsyncStream { continuation in
                continuation.yield(ByteBuffer(bytes: contents[0].bytes.prefix(100_000)))
                continuation.finish()
            })
        room = 150_000
        #expect(try await begin(0).id == session.id)
        #expect(room == 0)
        #expect(try await hub.lfs.roomForUploads() > 0)
    }

    @Test("a wrong hash is refused at the end and the upload begins anew")
    func wrongHash() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(250_000)
        let action = try Action(try await hub.batch("upload", content, transfers: transfers).object, "upload")
        let etags = try await send(LFSContent(250_000, seed: 2), parts(action), hub)
        #expect(try await hub.send(.post, action.path, as: nil, Array(completion(content, etags).utf8)).status == 422)
        let next = try Action(try await hub.batch("upload", content, transfers: transfers).object, "upload")
        #expect(next.path.prefix { $0 != "?" } != action.path.prefix { $0 != "?" })
    }

    @Test("an upload that nobody finishes is swept when it has expired")
    func expires() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(250_000)
        let action = try Action(try await hub.batch("upload", content, transfers: transfers).object, "upload")
        _ = try await send(content, parts(action), hub, only: [0])
        let sweeper = ObjectSweeper(lfs: hub.lfs, logger: .init(label: "test"))
        _ = try await sweeper.sweep(now: Date())
        #expect(try await hub.objects.uploads().count == 1)
        _ = try await sweeper.sweep(now: Date().addingTimeInterval(hub.lfs.settings.uploadLifetime + 60))
        #expect(try await hub.objects.uploads().isEmpty)
        #expect(try await hub.send(.put, parts(action)[0], as: nil, Array(content.bytes.prefix(100_000))).status == 404)
    }
}
