import Foundation
import HTTPTypes
import HubCore
import HubTestSupport
import Identity
import Logging
import NIOCore
import ObjectStore
import Repositories
import Testing

@Suite("LFS batch")
struct LFSBatchTests {
    @Test("offers to upload what is missing, nothing for what is there, and to download it")
    func lifecycle() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(1000)
        let offer = try await hub.batch("upload", content)
        #expect(offer.status == 200 && offer.headers[.contentType] == "application/vnd.git-lfs+json")
        #expect(offer.json["transfer"] as? String == "basic" && offer.json["hash_algo"] as? String == "sha256")
        #expect(offer.object["authenticated"] as? Bool == true)
        let actions = try #require(offer.object["actions"] as? [String: Any])
        #expect(Set(actions.keys) == ["upload", "verify"])
        let missing = try await hub.batch("download", content)
        #expect((missing.object["error"] as? [String: Any])?["code"] as? Int == 404)
        #expect(missing.object["actions"] == nil)

        try await hub.upload(content)
        #expect(try await hub.batch("upload", content).object["actions"] == nil)
        let action = try Action(try await hub.batch("download", content).object, "download")
        #expect(try await hub.follow(action, .get).body == content.bytes)
    }

    @Test("answers each object of a batch, twice named ones and invalid ones included")
    func mixed() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(10)
        try await hub.upload(content)
        let answer = try await hub.post(
            "objects/batch",
            #"{"operation":"download","objects":[{"oid":"\#(content.oid)","size":10},{"oid":"\#(content.oid)","size":10},"#
                + #"{"oid":"\#(content.oid)","size":11},{"oid":"xyz","size":1},{"oid":"\#(LFSContent(5).oid)","size":-1},"#
                + #"{"oid":"\#(LFSContent(6).oid)","size":6}]}"#)
        let objects = try #require(answer.json["objects"] as? [[String: Any]])
        let codes = objects.map { ($0["error"] as? [String: Any])?["code"] as? Int }
        #expect(codes == [nil, nil, 422, 422, 422, 404])
        #expect(objects.allSatisfy { ($0["error"] == nil) != ($0["actions"] == nil) })
    }

    @Test("takes 1,000 objects in a batch")
    func many() async throws {
        let hub = try await TestLFS()
        let list = (0..<1000).map { #"{"oid":"\#(LFSContent(8, seed: UInt64($0 + 1)).oid)","size":8}"# }.joined(
            separator: ",")
        let answer = try await hub.post("objects/batch", #"{"operation":"upload","objects":[\#(list)]}"#)
        #expect((answer.json["objects"] as? [[String: Any]])?.count == 1000)
    }

    @Test(
        "refuses whole requests that are wrong",
        arguments: [
            (#"{"operation":"upload","objects":[]}"#, 422),
            (#"{"operation":"steal","objects":[{"oid":"a","size":1}]}"#, 422),
            (#"{"operation":"upload","objects":[{"oid":"a","size":1}]}"#, 422), (#"{"operation":"upload"}"#, 400),
            ("", 400),
            ("[1", 400), (#"{"operation":"upload","objects":[{"oid":1}]}"#, 400),
            (#"{"operation":"upload","hash_algo":"sha512","objects":[{"oid":"a","size":1}]}"#, 409),
            (#"{"operation":"upload","objects":[{"oid":"a","size":1e99}]}"#, 400),
        ])
    func refuses(body: String, status: Int) async throws {
        let hub = try await TestLFS()
        let answer = try await hub.post("objects/batch", body)
        #expect(answer.status == status)
        #expect((answer.json["message"] as? String)?.isEmpty == false && answer.json["request_id"] != nil)
        #expect(answer.headers[.contentType] == "application/vnd.git-lfs+json")
    }

    @Test("refuses bodies and media types that are none of LFS")
    func mediaTypes() async throws {
        let hub = try await TestLFS()
        let body = #"{"operation":"upload","objects":[{"oid":"a","size":1}]}"#
        #expect(try await hub.post("objects/batch", body, headers: [.contentType: "text/plain"]).status == 415)
        #expect(try await hub.post("objects/batch", body, headers: [.accept: "text/html"]).status == 406)
        #expect(
            try await hub.post("objects/batch", body, headers: [.accept: "*/*", .contentType: "application/json"])
                .status == 422)
        #expect(try await hub.post("objects/batch", String(repeating: " ", count: 5 << 20)).status == 413)
        #expect(try await hub.send(.get, "objects/batch").status == 405)
        #expect(try await hub.send(.get, "nothing").status == 404)
    }

    @Test("asks for credentials with the address of the token page, and hides what a stranger may not see")
    func rights() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(10)
        let anonymous = try await hub.batch("download", content, as: nil)
        #expect(anonymous.status == 401)
        #expect(anonymous.headers[.init("LFS-Authenticate") ?? .authorization]?.hasPrefix("Basic realm=") == true)
        #expect(anonymous.headers[.wwwAuthenticate]?.hasPrefix("Basic realm=") == true)
        #expect(anonymous.text.contains("https://hub.example/settings/tokens"))
        #expect(try await hub.batch("upload", content, as: "hub_nonsense").status == 401)
        #expect(try await hub.batch("download", content, as: "bob").status == 404)
        #expect(try await hub.batch("upload", content, as: "bob").status == 404)
        #expect(try await hub.batch("download", content, as: "reader").status == 200)
        #expect(try await hub.batch("upload", content, as: "reader").status == 403)
        #expect(try await hub.batch("download", content, base: "/models/ada/none.git/info/lfs/").status == 404)
    }

    @Test(
        "is reached by all forms of a repository's address",
        arguments: ["/models/ada/bert.git", "/models/ada/bert", "/ada/bert.git", "/ada/bert", "/hf/ada/bert"])
    func addresses(path: String) async throws {
        let hub = try await TestLFS()
        #expect(try await hub.batch("upload", LFSContent(1), base: path + "/info/lfs/").status == 200)
    }
}
