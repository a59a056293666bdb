import BundleFormat
import Bundles
import FoundationEssentials
import HubCore
import MetadataStore

/// A key in a list of keys.
package struct SignerKeyModel: APIModel {
    package let algorithm: String
    package let fingerprint: String
    package let publicKey: String

    init(_ key: SignerKey) {
        algorithm = key.algorithm.rawValue
        fingerprint = key.fingerprint
        publicKey = key.publicKeyPEM
    }

    package static var schema: Schema {
        .object(
            "SignerKey", "A public key.",
            [
                .required("algorithm", .words(of: KeyAlgorithm.self), ""),
                .required("fingerprint", .text, "SHA-256 of the key in DER, in groups of four digits."),
                .required("public_key", .text, "PEM."),
            ])
    }
}

package struct RevokedKeyModel: APIModel {
    package let fingerprint: String
    package let reason: String

    package static var schema: Schema {
        .object(
            "RevokedKey", "A key that never counts.",
            [.required("fingerprint", .text, ""), .required("reason", .text, "")])
    }
}

/// A publisher and whom it lets sign.
package struct PublisherModel: APIModel {
    package let name: String
    package let origin: String
    @OrNull package var withdrawn: String? = nil
    package let fingerprint: String
    package let version: Int
    package let threshold: Int
    package let keys: [SignerKeyModel]
    package let modelKeys: [SignerKeyModel]
    package let revoked: [RevokedKeyModel]
    package let missingSignatures: Int
    package let documents: [String]

    init(_ entry: TrustStore.Entry) {
        self.init(
            entry.roots, newest: entry.publisher.root, origin: entry.publisher.origin,
            withdrawn: entry.publisher.withdrawn)
    }

    /// - Parameter missing: how many signatures the newest list needs before it counts.
    package init(
        _ roots: [TrustRoot], newest: TrustRoot, origin: TrustedPublisher.Origin, withdrawn: String? = nil,
        missing: Int = 0
    ) {
        name = newest.publisher
        self.origin = origin.rawValue
        _withdrawn = OrNull(wrappedValue: withdrawn)
        fingerprint = (roots.first ?? newest).fingerprint
        version = newest.version
        threshold = newest.content.signers[.bundles]?.threshold ?? 1
        keys = newest.content.keys(of: .bundles).map(SignerKeyModel.init)
        modelKeys = newest.content.keys(of: .models).map(SignerKeyModel.init)
        revoked = newest.content.revoked.sorted { $0.key < $1.key }
            .map { RevokedKeyModel(fingerprint: Fingerprint.text($0.key), reason: $0.value) }
        missingSignatures = missing
        documents = roots.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    package static var schema: Schema {
        .object(
            "Publisher", "A publisher of bundles and its keys.",
            [
                .required("name", .text, "As bundles name it."),
                .required(
                    "origin", .word(["own", "administrator", "file"]),
                    "Who says that it is trusted; `file`: the settings folder's trust/."),
                .required("withdrawn", .nullable(.text), "Why the trust has ended."),
                .required("fingerprint", .text, "What people compare."),
                .required("version", .count, "Of the newest list of keys."),
                .required("threshold", .count, "How many of the keys must sign a bundle."),
                .required("keys", .list(of: SignerKeyModel.schema), "Those that sign bundles."),
                .required(
                    "model_keys", .list(of: SignerKeyModel.schema),
                    "Those that sign models by the OpenSSF's specification."),
                .required("revoked", .list(of: RevokedKeyModel.schema), "Keys that the publisher revoked."),
                .required("missing_signatures", .count, "More than 0: a list that others must sign before it counts."),
                .required("documents", .list(of: .text), "The lists of keys as they are signed, the first one first."),
            ])
    }
}

package struct NewTrustModel: APIModel {
    package let documents: [String]
    package let fingerprint: String?

    package init(documents: [String], fingerprint: String?) {
        self.documents = documents
        self.fingerprint = fingerprint
    }

    package static var schema: Schema {
        .object(
            "NewTrust", "A publisher to trust.",
            [
                .required(
                    "documents", .array(.text(atMost: TrustRoot.maximumBytes), maximumCount: TrustRoot.maximumVersion),
                    "Its lists of keys, `root.1.json` and those that follow."),
                .optional(
                    "fingerprint", .nullable(.text(atMost: 200)),
                    "What was compared; not needed for lists that follow from one that is trusted."),
            ])
    }
}

package struct ReasonModel: APIModel {
    package let reason: String

    package init(reason: String) { self.reason = reason }

    package static var schema: Schema { .object("Reason", "Why.", [.required("reason", .text(atMost: 400), "")]) }
}

package struct NewRevocationModel: APIModel {
    package let fingerprint: String
    package let reason: String

    package init(fingerprint: String, reason: String) {
        self.fingerprint = fingerprint
        self.reason = reason
    }

    package static var schema: Schema {
        .object(
            "NewRevocation", "A key that shall never count here.",
            [.required("fingerprint", .text(atMost: 200), ""), .required("reason", .text(atMost: 400), "")])
    }
}

package struct KeySequenceModel: APIModel {
    package let publisher: String
    package let stream: String
    package let fingerprint: String
    package let sequence: Int64
    package let bundle: String
    package let raisedAt: Date

    init(_ mark: StoredSequence) {
        publisher = mark.publisher
        stream = mark.stream
        fingerprint = Fingerprint.text(mark.keyID.hex)
        sequence = mark.sequence
        bundle = mark.bundle
        raisedAt = mark.raisedAt
    }

    package static var schema: Schema {
        .object(
            "KeySequence", "The last bundle of a stream that a key signed and that was published here.",
            [
                .required("publisher", .text, ""), .required("stream", .text, ""),
                .required("fingerprint", .text, "Of the key."),
                .required("sequence", .count, ""), .required("bundle", .text, "Its id."),
                .required("raised_at", .time, ""),
            ])
    }
}

/// A change of this hub's own keys.
package struct KeyChangeModel: APIModel {
    package let name: String?
    package let algorithm: String?
    package let cosigners: [String]?
    package let threshold: Int?
    package let revocation: String?
    package let replacesLost: Bool?

    package init(
        name: String? = nil, algorithm: String? = nil, cosigners: [String]? = nil, threshold: Int? = nil,
        revocation: String? = nil, replacesLost: Bool? = nil
    ) {
        self.name = name
        self.algorithm = algorithm
        self.cosigners = cosigners
        self.threshold = threshold
        self.revocation = revocation
        self.replacesLost = replacesLost
    }

    func change() throws -> RootChange {
        RootChange(
            algorithm: algorithm.flatMap(KeyAlgorithm.init(rawValue:)) ?? .ed25519,
            cosigners: try cosigners?.map { try SignerKey(pem: $0) },
            threshold: threshold, revocation: revocation)
    }

    package static var schema: Schema {
        .object(
            "KeyChange", "What to change about the keys of this hub as a publisher.",
            [
                .optional("name", .nullable(.text(atMost: 64)), "Its name as a publisher, when it is made."),
                .optional(
                    "algorithm", .nullable(.words(of: KeyAlgorithm.self)), "Of the new key; ed25519 unless told."),
                .optional(
                    "cosigners", .nullable(.array(.text(atMost: 4096), maximumCount: 16)),
                    "Public keys in PEM of others who sign too."),
                .optional("threshold", .nullable(.integer(minimum: 1, maximum: 16)), "How many keys must sign."),
                .optional("revocation", .nullable(.text(atMost: 400)), "Why the former key is revoked."),
                .optional(
                    "replaces_lost", .nullable(.boolean),
                    "When it is made: begin a new publisher in the place of one whose private keys are lost; that one is trusted no more."),
            ])
    }
}

package struct DocumentModel: APIModel {
    package let document: String

    package init(document: String) { self.document = document }

    package static var schema: Schema {
        .object(
            "Document", "A signed list of keys.", [.required("document", .text(atMost: TrustRoot.maximumBytes), "")])
    }
}

/// The files that make a signed bundle of a manifest.
package struct SignedFilesModel: APIModel {
    package struct File: APIModel {
        package let name: String
        /// Base 64.
        package let content: String

        package var bytes: [UInt8]? { Data(base64Encoded: content).map { Array($0) } }

        package static var schema: Schema {
            .object(
                "SignedFile", "A file of a bundle's folder.",
                [.required("name", .text, ""), .required("content", .text, "Base 64.")])
        }
    }

    package let fingerprint: String
    package let files: [File]

    init(_ documents: SignedDocuments, fingerprint: String) {
        self.fingerprint = fingerprint
        files = documents.files.map { File(name: $0.name, content: Data($0.bytes).base64EncodedString()) }
    }

    package static var schema: Schema {
        .object(
            "SignedFiles", "What to write beside BUNDLE.json.",
            [
                .required("fingerprint", .text, "Of the publisher, for people."),
                .required("files", .list(of: File.schema), "In the order to write them."),
            ])
    }
}

/// Files of a model, for its signature.
package struct ModelFilesModel: APIModel {
    package struct File: APIModel {
        package let path: String
        package let sha256: String

        package init(path: String, sha256: String) {
            self.path = path
            self.sha256 = sha256
        }

        package static var schema: Schema {
            .object(
                "ModelFile", "",
                [.required("path", .text(atMost: 4096), ""), .required("sha256", .text(atMost: 64), "")])
        }
    }

    package let name: String
    package let files: [File]

    package init(name: String, files: [File]) {
        self.name = name
        self.files = files
    }

    package static var schema: Schema {
        .object(
            "ModelFiles", "The files of a model's revision.",
            [
                .required("name", .text(atMost: 200), "Of the model's folder."),
                .required(
                    "files", .array(File.schema, maximumCount: 500_000),
                    "All of them, with the SHA-256 of each one's bytes."),
            ])
    }
}
