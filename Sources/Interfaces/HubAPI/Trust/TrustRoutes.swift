import BundleFormat
import Bundles
import HTTPTypes
import HubCore
import Hummingbird
import MetadataStore
import NIOCore

/// Whose bundles the hub trusts. Ours.
struct TrustRoutes {
    let trust: TrustServices

    var routes: [APIRoute] {
        [
            .answering(
                .get, "/trust/publishers", "listTrustedPublishers", "Lists the publishers that are or were trusted.",
                query: APIParameter.paging
            ) {
                [trust] call in
                ListPage(items: try await trust.store.entries(by: call.principal).map(PublisherModel.init), next: nil)
            },
            .answering(.get, "/trust/publishers/{publisher}", "getTrustedPublisher", "Returns a publisher.") {
                [trust] call in
                let name = try call.path("publisher")
                guard
                    let entry = try await trust.store.entries(by: call.principal).first(where: {
                        $0.publisher.name == name
                    })
                else {
                    throw TrustError.unknownKey(name)
                }
                return PublisherModel(entry)
            },
            .taking(
                .post, "/trust/publishers", "trustPublisher", "Trusts a publisher, or takes its later lists of keys.",
                status: .created
            ) {
                [trust] call, body in
                let body: NewTrustModel = body
                return PublisherModel(
                    try await trust.store.add(
                        body.documents.map { Array($0.utf8) }, fingerprint: body.fingerprint, by: call.caller))
            },
            .taking(
                .post, "/trust/publishers/{publisher}/withdrawal", "withdrawTrust", "Ends the trust in a publisher."
            ) { [trust] call, body in
                let body: ReasonModel = body
                return PublisherModel(
                    try await trust.store.withdraw(call.path("publisher"), reason: body.reason, by: call.caller))
            },
            .answering(
                .get, "/trust/revocations", "listRevokedKeys", "Lists the keys that were revoked here.",
                query: APIParameter.paging
            ) {
                [trust] call in
                let revoked = try await trust.store.revocations(by: call.principal)
                return ListPage(
                    items: revoked.map {
                        RevokedKeyModel(fingerprint: Fingerprint.text($0.keyID.hex), reason: $0.reason)
                    }, next: nil)
            },
            .taking(
                .post, "/trust/revocations", "revokeKey", "Never counts a key again, whoever lists it.",
                status: .created
            ) { [trust] call, body in
                let body: NewRevocationModel = body
                try await trust.store.revoke(body.fingerprint, reason: body.reason, by: call.caller)
                return RevokedKeyModel(
                    fingerprint: Fingerprint.parse(body.fingerprint).map(Fingerprint.text) ?? "", reason: body.reason)
            },
            .answering(
                .get, "/trust/sequences", "listSequences", "Lists the last bundle of each stream and key.",
                query: APIParameter.paging
            ) {
                [trust] call in
                ListPage(
                    items: try await trust.store.sequences(by: call.principal).map(KeySequenceModel.init), next: nil)
            },
        ]
    }
}

/// The hub as a publisher. Ours.
struct PublisherRoutes {
    let trust: TrustServices

    private static let maximumFileListBytes = 128 << 20

    var routes: [APIRoute] {
        [
            .answering(
                .get, "/publisher", "getOwnPublisher", "Returns this hub as a publisher; 404 before its keys are made."
            ) { [trust] call in
                guard let roots = try await trust.publisher.roots(by: call.principal), let newest = roots.last else {
                    throw PublisherError.missing
                }
                return PublisherModel(roots, newest: newest, origin: .own)
            },
            .taking(.post, "/publisher", "createOwnPublisher", "Makes the hub's keys as a publisher.", status: .created)
            { [trust] call, body in
                let body: KeyChangeModel = body
                return try await shown(trust.publisher.create(
                        name: body.name, body.change(), replacesLost: body.replacesLost ?? false, by: call.caller), call)
            },
            .taking(
                .post, "/publisher/rotation", "rotateOwnKey", "Makes a new key in the place of the present one.",
                status: .created
            ) {
                [trust] call, body in
                let body: KeyChangeModel = body
                return try await shown(trust.publisher.rotate(body.change(), by: call.caller), call)
            },
            .answering(
                .get, "/publisher/draft", "getKeyListDraft",
                "Returns a list of keys that waits for signatures of others."
            ) { [trust] call in
                guard let draft = try await trust.publisher.draft(by: call.principal) else {
                    throw PublisherError.noDraft
                }
                return try await shown(draft, call)
            },
            .taking(
                .put, "/publisher/draft", "signKeyListDraft",
                "Adds signatures to the list that waits; with enough of them it counts."
            ) {
                [trust] call, body in
                let body: DocumentModel = body
                return try await shown(trust.publisher.sign(draft: Array(body.document.utf8), by: call.caller), call)
            },
            signature, modelSignature, inventorySignature,
        ]
    }

    /// A list with those before it, and how many signatures it still needs.
    private func shown(_ root: TrustRoot, _ call: APICall) async throws -> PublisherModel {
        let accepted = try await trust.publisher.roots(by: call.principal) ?? []
        let former = accepted.last { $0.version < root.version }
        let isAccepted = accepted.contains { $0.version == root.version }
        return PublisherModel(
            accepted.filter { $0.version < root.version } + [root], newest: root, origin: .own,
            missing: isAccepted ? 0 : max(0, try root.missingSignatures(after: former)))
    }

    /// Takes the bytes of `BUNDLE.json`.
    private var signature: APIRoute {
        APIRoute(
            method: .post, path: "/publisher/signature", operation: "signBundle",
            summary:
                "Signs the BUNDLE.json in the body; it must name this hub as its publisher. Makes the keys at first use.",
            query: [],
            body: .bytes, answer: .json(SignedFilesModel.schema), status: .ok
        ) { [trust] call in
            let identity = try await trust.publisher.identity(for: call.caller)
            let bytes = Array(try await call.collectBody(upTo: BundleManifest.maximumBytes).readableBytesView)
            let manifest = try BundleManifest(parsing: bytes)
            guard manifest.publisher == identity.publisher else {
                throw PublisherError.otherPublisher(own: identity.publisher, wanted: manifest.publisher)
            }
            try await trust.publisher.noteSignature(of: manifest, bytes: bytes, by: call.caller)
            return try call.json(
                SignedFilesModel(identity.sign(manifest, bytes: bytes), fingerprint: identity.fingerprint ?? ""),
                status: .ok)
        }
    }

    private var inventorySignature: APIRoute {
        APIRoute(
            method: .post, path: "/publisher/inventory-signature", operation: "signInventory",
            summary: "Signs an inventory of this hub by its SHA-256; answers the file that belongs beside it.",
            query: [APIParameter("sha256", .text(atMost: 64), "Of the inventory.")], body: nil, answer: .bytes, status: .ok
        ) { [trust] call in
            let identity = try await trust.publisher.identity(for: call.caller)
            guard let digest = ObjectID(hex: call.query("sha256") ?? "") else {
                throw ProblemError(.invalid, code: "invalid_digest", "Name the SHA-256 of the inventory, 64 hex digits.")
            }
            let envelope = try InventorySignature.make(of: digest, by: identity)
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: envelope.bytes)))
        }
    }

    private var modelSignature: APIRoute {
        APIRoute(
            method: .post, path: "/publisher/model-signature", operation: "signModel",
            summary: "Signs a model's files by the OpenSSF Model Signing specification; answers a Sigstore bundle.",
            query: [],
            body: .json(ModelFilesModel.schema), answer: .bytes, status: .ok
        ) { [trust] call in
            let identity = try await trust.publisher.identity(for: call.caller)
            let body = try JSONForm.decodeChecked(
                ModelFilesModel.self, from: await call.collectBody(upTo: Self.maximumFileListBytes))
            let files = try body.files.map { file in
                guard let sha256 = ObjectID(hex: file.sha256) else {
                    throw ProblemError(.invalid, code: "invalid_body", "“\(file.sha256.shortened)” is no SHA-256.")
                }
                return (path: file.path, sha256: sha256)
            }
            guard let bundle = try identity.signModel(name: body.name, files: files) else {
                throw PublisherError.keyMissing(publisher: identity.publisher)
            }
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: bundle)))
        }
    }
}
