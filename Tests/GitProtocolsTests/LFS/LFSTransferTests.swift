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

@Suite("LFS transfers")
struct LFSTransferTests {
    @Test("a download can be resumed at any byte", arguments: [0, 1, 4096, 299_999])
    func resumes(start: Int) async throws {
        let hub = try await TestLFS()
        let content = LFSContent(300_000)
        try await hub.upload(content)
        let answer = try await hub.send(.get, "objects/\(content.oid)", headers: [.range: "bytes=\(start)-299999"])
        #expect(answer.status == 206 && answer.body == Array(content.bytes[start...]))
        #expect(answer.headers[.contentRange] == "bytes \(start)-299999/300000")
        #expect(answer.headers[.eTag] == "\"\(content.oid)\"" && answer.headers[.acceptRanges] == "bytes")
    }

    @Test("HEAD gives the size, a range beyond the end is 416, a known ETag 304")
    func conditions() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(100)
        try await hub.upload(content)
        let path = "objects/\(content.oid)"
        let head = try await hub.send(.head, path)
        #expect(head.status == 200 && head.headers[.contentLength] == "100" && head.body.isEmpty)
        #expect(head.headers[.contentEncoding] == nil)
        let beyond = try await hub.send(.get, path, headers: [.range: "bytes=100-"])
        #expect(beyond.status == 416 && beyond.headers[.contentRange] == "bytes */100")
        #expect(try await hub.send(.get, path, headers: [.ifNoneMatch: "\"\(content.oid)\""]).status == 304)
    }

    @Test("an empty object goes both ways")
    func empty() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(0)
        try await hub.upload(content)
        let answer = try await hub.send(.get, "objects/\(content.oid)")
        #expect(answer.status == 200 && answer.body.isEmpty && answer.headers[.contentLength] == "0")
        #expect(try await hub.send(.get, "objects/\(content.oid)", headers: [.range: "bytes=0-"]).status == 416)
    }

    @Test("refuses content of another hash or size, and stores nothing")
    func refusesWrong() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(1000)
        let action = try Action(try await hub.batch("upload", content).object, "upload")
        #expect(try await hub.follow(action, .put, LFSContent(1000, seed: 2).bytes).status == 422)
        #expect(try await hub.follow(action, .put, Array(content.bytes.dropLast())).status == 422)
        #expect(try await hub.follow(action, .put, content.bytes + [0]).status == 422)
        #expect(try await hub.batch("download", content).object["actions"] == nil)
        #expect(try await hub.send(.get, "objects/\(content.oid)").status == 404)
        #expect(try await hub.follow(action, .put, content.bytes).status == 200)
    }

    @Test("verify confirms presence and size")
    func verifies() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(1000)
        let verify = try Action(try await hub.batch("upload", content).object, "verify")
        let body = Array(#"{"oid":"\#(content.oid)","size":1000}"#.utf8)
        #expect(try await hub.follow(verify, .post, body).status == 404)
        try await hub.upload(content)
        #expect(try await hub.follow(verify, .post, body).status == 200)
        #expect(
            try await hub.follow(verify, .post, Array(#"{"oid":"\#(content.oid)","size":1001}"#.utf8)).status == 422)
    }

    @Test("another repository's object is not given away, and must be sent again in full")
    func demandsProof() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(1000)
        try await hub.upload(content)
        _ = try await hub.addRepository("models/bob/own")
        let base = "/models/bob/own.git/info/lfs/"
        #expect(try await hub.batch("download", content, as: "bob", base: base).object["actions"] == nil)
        #expect(try await hub.send(.get, base + "objects/\(content.oid)", as: "bob").status == 404)
        let action = try Action(try await hub.batch("upload", content, as: "bob", base: base).object, "upload")
        #expect(try await hub.follow(action, .put, LFSContent(1000, seed: 5).bytes).status == 422)
        #expect(try await hub.send(.get, base + "objects/\(content.oid)", as: "bob").status == 404)
        #expect(try await hub.follow(action, .put, content.bytes).status == 200)
        #expect(try await hub.send(.get, base + "objects/\(content.oid)", as: "bob").body == content.bytes)
    }

    @Test("a link works for its object, operation and repository only, and not when it has expired or was changed")
    func bindsLinks() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(10)
        let other = LFSContent(10, seed: 2)
        let upload = try Action(try await hub.batch("upload", content).object, "upload")
        let authorization = try #require(upload.header["Authorization"])
        let headers: HTTPFields = [.authorization: authorization]
        #expect(try await hub.send(.put, "objects/\(other.oid)", as: nil, other.bytes, headers: headers).status == 401)
        #expect(try await hub.send(.get, "objects/\(content.oid)", as: nil, headers: headers).status == 401)
        _ = try await hub.addRepository("models/ada/other")
        let foreign = "/models/ada/other.git/info/lfs/objects/\(content.oid)"
        #expect(try await hub.send(.put, foreign, as: nil, content.bytes, headers: headers).status == 401)
        for position in [9, 20, authorization.count - 1] {
            var changed = Array(authorization.utf8)
            changed[position] = changed[position] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
            let answer = try await hub.send(
                .put, "objects/\(content.oid)", as: nil, content.bytes,
                headers: [.authorization: String(decoding: changed, as: UTF8.self)])
            #expect(answer.status == 401)
        }
        hub.clock.advance(3601)
        #expect(try await hub.follow(upload, .put, content.bytes).status == 401)
        hub.clock.advance(-3601)
        #expect(try await hub.follow(upload, .put, content.bytes).status == 200)
    }

    @Test("a link stops working with its account's rights")
    func asksAgain() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(10)
        try await hub.identity.setCollaborator(
            NamespaceName(parsing: "bob"), of: hub.repository, role: .write, by: TestLFS.root)
        let upload = try Action(try await hub.batch("upload", content, as: "bob").object, "upload")
        try await hub.identity.setCollaborator(
            NamespaceName(parsing: "bob"), of: hub.repository, role: .read, by: TestLFS.root)
        #expect(try await hub.follow(upload, .put, content.bytes).status == 403)
        try await hub.identity.removeCollaborator(NamespaceName(parsing: "bob"), of: hub.repository, by: TestLFS.root)
        #expect(try await hub.follow(upload, .put, content.bytes).status == 404)
    }

    @Test("a lost or shortened file is not served as the object, and is mended by sending it again")
    func damaged() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(5000)
        try await hub.upload(content)
        let path = hub.folder.file(
            "objects/\(content.oid.prefix(2))/\(content.oid.dropFirst(2).prefix(2))/\(content.oid)")
        #expect(truncate(path, 100) == 0)
        #expect(try await hub.send(.get, "objects/\(content.oid)").status == 503)
        #expect(unlink(path) == 0)
        #expect(try await hub.send(.get, "objects/\(content.oid)").status == 503)
        #expect(try await hub.send(.put, "objects/\(content.oid)", content.bytes).status == 200)
        #expect(try await hub.send(.get, "objects/\(content.oid)").body == content.bytes)
    }

    @Test("sweeps what no repository has after the grace time, and keeps the rest")
    func sweeps() async throws {
        let hub = try await TestLFS()
        let kept = LFSContent(10)
        try await hub.upload(kept)
        let orphan = LFSContent(20)
        _ = try await hub.objects.put(
            ObjectID(hex: orphan.oid), sizeBytes: 20,
            body: AsyncStream { continuation in
                continuation.yield(.init(bytes: orphan.bytes))
                continuation.finish()
            })
        let sweeper = ObjectSweeper(lfs: hub.lfs, logger: .init(label: "test"))
        #expect(try await sweeper.sweep(now: Date()) == 0)
        #expect(try await sweeper.sweep(now: Date().addingTimeInterval(ObjectSweeper.grace + 60)) == 1)
        #expect(try await hub.objects.stat(#require(ObjectID(hex: orphan.oid))) == nil)
        #expect(try await hub.send(.get, "objects/\(kept.oid)").body == kept.bytes)
    }
}
