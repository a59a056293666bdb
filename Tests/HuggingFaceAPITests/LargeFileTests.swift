import HTTPTypes
import HubCore
import MetadataStore
import NIOCore
import Repositories
import Testing

@testable import HuggingFaceAPI

@Suite("Large files of the Hub API")
struct LargeFileTests {
    private let bytes = [UInt8](repeating: 7, count: 3_000)
    /// Their SHA-256.
    private let oid = "48c187767dddb44e5b7af78dabdec2b14f0f983e86e1fe695c65bc6a2a3cb42f"

    /// A repository `ada/m` with `w.bin`, a large file, in two commits and a tag; the token of its owner.
    private func hub() async throws -> (TestHub, token: String) {
        let hub = try TestHub()
        let ada = try await hub.account("ada", scope: .admin)
        _ = try await hub.send(.post, "/api/repos/create", #"{"name":"m"}"#, token: ada)
        let reference = RepositoryReference(kind: .model, name: try RepositoryName(parsing: "ada/m"))
        let repository = try #require(try await hub.store.repository(reference)?.repository)
        let pieces = AsyncStream<ByteBuffer> { stream in
            stream.yield(ByteBuffer(bytes: bytes))
            stream.finish()
        }
        try await hub.lfs.receive(
            try #require(ObjectID(hex: oid)), sizeBytes: Int64(bytes.count), body: pieces, into: repository, account: nil)
        let line = #"{"key":"lfsFile","value":{"path":"sub/w.bin","algo":"sha256","oid":"\#(oid)","size":3000}}"#
        #expect(try await hub.commit([("a.txt", "a")], to: "ada/m", token: ada, more: [line]).status == 200)
        _ = try await hub.send(.post, "/api/models/ada/m/tag/main", #"{"tag":"v1","message":"one"}"#, token: ada)
        #expect(try await hub.commit([("b.txt", "b")], to: "ada/m", token: ada).status == 200)
        return (hub, ada)
    }

    @Test("are served whole and in ranges, and named by their hash")
    func resolve() async throws {
        let (hub, ada) = try await hub()
        let head = try await hub.send(.head, "/ada/m/resolve/main/sub%2Fw.bin", token: ada)
        #expect(head.status == 200 && head.headers[.contentLength] == "3000")
        #expect(head.headers[.eTag] == "\"\(oid)\"" && head.headers[.linkedSize] == "3000")
        let part = try await hub.send(
            .get, "/ada/m/resolve/main/sub/w.bin", token: ada, headers: [.range: "bytes=-5"])
        #expect(part.status == 206 && Array(part.bytes.readableBytesView) == Array(repeating: 7, count: 5))
        let raw = try await hub.send(.get, "/ada/m/raw/main/sub/w.bin", token: ada)
        #expect(raw.text == "version https://git-lfs.github.com/spec/v1\noid sha256:\(oid)\nsize 3000\n")
        let tree = try await hub.send(.get, "/api/models/ada/m/tree/main/sub", token: ada)
        #expect(tree.json?.elements?.first?["lfs"]?["oid"]?.string == oid)
        #expect(tree.json?.elements?.first?["size"]?.integer == 3000)
    }

    @Test("go for good, with their files in all of history")
    func deletion() async throws {
        let (hub, ada) = try await hub()
        let list = try await hub.send(.get, "/api/models/ada/m/lfs-files", token: ada)
        #expect(list.json?.elements?.first?["filename"]?.string == "sub/w.bin")
        let body = #"{"deletions":{"sha":["\#(oid)"],"rewriteHistory":true}}"#
        #expect(try await hub.send(.post, "/api/models/ada/m/lfs-files/batch", body, token: ada).status == 200)
        #expect(try await hub.send(.get, "/api/models/ada/m/lfs-files", token: ada).json?.elements?.isEmpty == true)
        for revision in ["main", "v1"] {
            let tree = try await hub.send(.get, "/api/models/ada/m/tree/\(revision)?recursive=1", token: ada)
            let paths = tree.json?.elements?.compactMap { $0["path"]?.string } ?? []
            #expect(paths.contains("a.txt") && !paths.contains("sub") && !paths.contains("sub/w.bin"))
        }
        let commits = try await hub.send(.get, "/api/models/ada/m/commits/main", token: ada)
        #expect(commits.json?.elements?.compactMap { $0["title"]?.string } == ["test", "test", "initial commit"])
    }

    @Test("cannot be had by whoever knows their hash only")
    func proof() async throws {
        let (hub, ada) = try await hub()
        let bob = try await hub.account("bob")
        _ = try await hub.send(.post, "/api/repos/create", #"{"name":"n"}"#, token: bob)
        let line = #"{"key":"lfsFile","value":{"path":"w.bin","algo":"sha256","oid":"\#(oid)","size":3000}}"#
        #expect(try await hub.commit([], to: "bob/n", token: bob, more: [line]).status == 400)
        let copy = #"{"target":{"type":"model","name":"bob/n"},"files":[{"xetHash":"x","sha256":"\#(oid)"}]}"#
        // Bob reads ada/m, so he may copy; once it is private he may not.
        _ = try await hub.send(.put, "/api/models/ada/m/settings", #"{"private":true}"#, token: ada)
        #expect(try await hub.send(.post, "/api/models/ada/m/lfs-files/duplicate", copy, token: bob).code == "RepoNotFound")
        _ = try await hub.send(.put, "/api/models/ada/m/settings", #"{"private":false}"#, token: ada)
        #expect(try await hub.send(.post, "/api/models/ada/m/lfs-files/duplicate", copy, token: bob).status == 200)
        #expect(try await hub.commit([], to: "bob/n", token: bob, more: [line]).status == 200)
    }
}
