import BundleFormat
import HTTPTypes
import HubCore
import NIOCore
import Testing

@testable import HubAPI

@Suite("Trust by the API")
struct TrustRouteTests {
    private func acme() throws -> PublisherIdentity {
        try .make(publisher: "acme", key: .make(.ed25519), modelKey: nil)
    }

    @Test("a publisher is trusted by its fingerprint, listed and trusted no more")
    func publishers() async throws {
        let api = try TestAPI()
        let acme = try acme()
        let document = JSONValue.string(String(decoding: acme.roots[0].bytes, as: UTF8.self))
        let wrong = try await api.send(
            .post, "/trust/publishers",
            ["documents": [document], "fingerprint": .string(String(repeating: "0", count: 64))])
        #expect(wrong.status == 403 && wrong.code == "other_fingerprint")
        let added = try await api.send(
            .post, "/trust/publishers", ["documents": [document], "fingerprint": .string(acme.fingerprint ?? "")])
        #expect(added.status == 201)
        let listed = try await api.send(.get, "/trust/publishers")
        #expect(listed.text.contains(acme.fingerprint ?? "?"))
        let ended = try await api.send(.post, "/trust/publishers/acme/withdrawal", ["reason": "over"])
        #expect(try ended.json()["withdrawn"]?.string == "over")
        #expect(try await api.send(.get, "/trust/publishers/nobody").status == 404)
        let revoked = try await api.send(
            .post, "/trust/revocations", ["fingerprint": .string(acme.fingerprint ?? ""), "reason": "stolen"])
        #expect(revoked.status == 201)
        #expect(try await api.send(.get, "/trust/revocations").text.contains("stolen"))
        #expect(try await api.send(.get, "/trust/sequences").status == 200)
    }

    @Test("the hub's own keys are made at the first signature, and a manifest of another publisher is not signed")
    func signature() async throws {
        let api = try TestAPI()
        #expect(try await api.send(.get, "/publisher").status == 404)
        func manifest(_ publisher: String) -> [UInt8] {
            BundleManifest(
                nonce: String(repeating: "0", count: 32), publisher: publisher, stream: "models", sequence: 1,
                created: "2026-11-20T10:00:00Z",
                kind: .full, repositories: [], volumes: [], media: [], objects: .init(count: 0, bytes: 0)
            ).canonicalBytes
        }
        let other = try await api.send(.post, "/publisher/signature", bytes: ByteBuffer(bytes: manifest("acme")))
        #expect(other.code == "other_publisher")
        let own = try await api.send(.get, "/publisher")
        let name = try #require(try own.json()["name"]?.string)
        #expect(name == "hub.test")
        let signed = try await api.send(.post, "/publisher/signature", bytes: ByteBuffer(bytes: manifest(name)))
        #expect(signed.status == 200)
        let files = try JSONForm.decode(SignedFilesModel.self, from: signed.bytes)
        #expect(files.files.map(\.name) == ["trust/root.1.json", "BUNDLE.json.minisig", "BUNDLE.dsse.json"])
        let root = try TrustRoot(parsing: try #require(files.files[0].bytes), file: "f")
        let signature = BundleSignature(
            envelope: try DSSEEnvelope(parsing: try #require(files.files[2].bytes), file: "f"), roots: [root])
        guard
            case .trusted = TrustPolicy(publishers: [TrustedPublisher(root: root, origin: .own)])
                .judge(manifestBytes: manifest(name), signature: signature)
        else {
            Issue.record("the signature is not one")
            return
        }
        #expect(try await api.send(.post, "/publisher/signature", bytes: ByteBuffer(string: "{}")).status == 422)
        let model = try await api.send(
            .post, "/publisher/model-signature",
            ["name": "bert", "files": [["path": "a", "sha256": .string(String(repeating: "a", count: 64))]]])
        let modelKey = try #require(root.content.keys(of: .models).first)
        #expect(
            try ModelSignature.verify(Array(model.bytes.readableBytesView), key: modelKey).resources.map(\.path) == [
                "a"
            ])
        let rotated = try await api.send(.post, "/publisher/rotation", ["revocation": "stolen"])
        #expect(try rotated.json()["version"] == 2 && rotated.json()["missing_signatures"] == 0)
        #expect(try await api.send(.get, "/publisher/draft").status == 404)
    }

    @Test("only administrators may")
    func rights() async throws {
        let api = try TestAPI()
        for (method, path, body) in [
            (HTTPRequest.Method.get, "/trust/publishers", nil), (.get, "/publisher", nil),
            (.post, "/publisher", ["name": "x"] as JSONValue),
            (.post, "/trust/revocations", ["fingerprint": "x", "reason": "y"]), (.get, "/trust/sequences", nil),
        ] {
            let answer = try await api.send(method, path, body, anonymously: true)
            #expect(answer.status == 401, "\(path)")
        }
    }
}
