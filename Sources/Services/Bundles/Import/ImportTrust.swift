import BundleFormat
import HubCore

/// Who signed a bundle, as far as the import needs to know.
package struct ImportSigners: Hashable, Sendable {
    package var publisher: String
    /// By key.
    package var keyIDs: [ObjectID]
    package var fingerprints: [String]
    /// Those that sign models for the publisher.
    package var modelKeys: [SignerKey]
    /// The highest sequence that these keys have published here, when it is a later one.
    package var laterSequence: Int64?
    /// The highest published sequence of the stream, for people.
    package var lastSequence: Int64?

    package init(
        publisher: String, keyIDs: [ObjectID], fingerprints: [String], modelKeys: [SignerKey] = [], laterSequence: Int64? = nil,
        lastSequence: Int64? = nil
    ) {
        self.publisher = publisher
        self.keyIDs = keyIDs
        self.fingerprints = fingerprints
        self.modelKeys = modelKeys
        self.laterSequence = laterSequence
        self.lastSequence = lastSequence
    }
}

/// The documents beside a manifest, as they came: `BUNDLE.dsse.json` and `trust/root.<N>.json`.
package struct SignedManifest: Sendable {
    package let bytes: [UInt8]
    package let id: BundleID
    /// By their paths in the bundle's folder.
    package let documents: [String: [UInt8]]
    /// Where the folder lies, for commands in messages.
    package let folder: String

    package init(bytes: [UInt8], id: BundleID, documents: [String: [UInt8]], folder: String) {
        self.bytes = bytes
        self.id = id
        self.documents = documents
        self.folder = folder
    }
}

/// What trust does for imports.
package protocol ImportTrust: Sendable {
    /// Judges a manifest by its signatures, before a volume is read and before anything in it is believed.
    /// - Throws: a refusal of the kind `.forbidden` unless it is trusted; `BundleError` where a trusted signer made no manifest.
    func judge(_ manifest: SignedManifest) async throws -> (signers: ImportSigners, manifest: BundleManifest)

    /// A receipt with the hub's signature.
    func sign(receipt: [UInt8]) async throws -> String

    /// A statement of custody that follows `former`, by this hub; `nil` when it has no key.
    func sign(
        _ facts: CustodyStatement.Facts, after former: CustodyStatement?, manifest: ObjectID
    ) async throws -> CustodyStatement?

    /// Whose keys are known here: publishers by key id.
    func keyNames() async throws -> [String: String]
}

/// Trusts nobody.
package struct NoTrust: ImportTrust {
    package init() {}

    package func judge(_ manifest: SignedManifest) async throws -> (signers: ImportSigners, manifest: BundleManifest) {
        throw ProblemError(.forbidden, code: "unknown_publisher", "No publisher of bundles is trusted here.")
    }

    package func sign(receipt: [UInt8]) async throws -> String { String(decoding: receipt, as: UTF8.self) }

    package func sign(
        _ facts: CustodyStatement.Facts, after former: CustodyStatement?, manifest: ObjectID
    ) async throws -> CustodyStatement? { nil }

    package func keyNames() async throws -> [String: String] { [:] }
}
