import BundleFormat
import HubCore

/// The hub's trust as imports need it.
package struct HubImportTrust: ImportTrust {
    private let services: TrustServices

    package init(_ services: TrustServices) { self.services = services }

    package func judge(_ manifest: SignedManifest) async throws -> (signers: ImportSigners, manifest: BundleManifest) {
        let signature = try BundleSignature(documents: manifest.documents, folder: manifest.folder)
        let publisher = try signature.checkSubject(manifest.bytes)
        switch try await services.store.policy().judge(manifestBytes: manifest.bytes, signature: signature) {
        case .invalid(let error): throw error
        case .untrusted(let unknown): throw TrustError.unknownPublisher(unknown)
        case .trusted(let signers):
            // Now that somebody who is trusted vouches for it.
            let parsed = try BundleManifest(parsing: manifest.bytes)
            guard parsed.publisher == publisher else { throw TrustError.otherContent }
            try await services.store.keep(signers)
            return (try await describe(signers, parsed), parsed)
        }
    }

    package func sign(receipt: [UInt8]) async throws -> String {
        let envelope = try await services.publisher.identity().sign(receipt, type: "application/vnd.csghub.import-receipt+json")
        return String(decoding: envelope.bytes, as: UTF8.self)
    }

    package func sign(
        _ facts: CustodyStatement.Facts, after former: CustodyStatement?, manifest: ObjectID
    ) async throws -> CustodyStatement? {
        try await services.publisher.identity().sign(facts, after: former, manifest: manifest)
    }

    package func keyNames() async throws -> [String: String] { try await services.store.policy().keyNames }

    private func describe(_ signers: TrustedSigners, _ manifest: BundleManifest) async throws -> ImportSigners {
        let known = try await services.store.sequences(of: manifest)
        return ImportSigners(
            publisher: signers.publisher, keyIDs: signers.keys.compactMap { ObjectID(hex: $0.keyID) },
            fingerprints: signers.keys.map(\.fingerprint), modelKeys: signers.root.content.keys(of: .models),
            laterSequence: signers.laterSequence(than: manifest.sequence, known: known),
            lastSequence: known.values.max())
    }
}
