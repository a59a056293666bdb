import BundleFormat
import HubCore

/// The signature of an inventory, in `<file>.dsse.json` beside it: a signed in-toto Statement that names its SHA-256.
package enum InventorySignature {
    package static let predicateType = "urn:csghub:hubinventory:v1"
    private static let subject = "inventory"

    /// What became of the check.
    package enum Verdict: Hashable, Sendable {
        case signed(by: String)
        /// There is no signature beside it.
        case unsigned
        /// The signer is nobody who is trusted here, so nothing is known.
        case unknown(publisher: String)
    }

    package static func path(of inventory: String) -> String { inventory + ".dsse.json" }

    package static func make(of digest: ObjectID, by identity: PublisherIdentity) throws(SigningError) -> DSSEEnvelope {
        let statement = InTotoStatement(
            subject: subject, sha256: digest, predicateType: predicateType,
            predicate: .object([JSONMember("publisher", .string(identity.publisher))]))
        return try identity.sign(statement.canonicalBytes, type: DSSEEnvelope.inToto)
    }

    /// - Parameter signature: the file beside the inventory, `nil` when there is none.
    /// - Throws: a refusal of the kind `.forbidden` where a publisher that is trusted here did not sign these bytes.
    package static func judge(_ signature: [UInt8]?, of digest: ObjectID, file: String, by policy: TrustPolicy) throws -> Verdict {
        guard let signature else { return .unsigned }
        let name = path(of: file)
        let envelope = try DSSEEnvelope(parsing: signature, file: name)
        let statement = try InTotoStatement(parsing: envelope, file: name)
        guard statement.predicateType == predicateType, statement.sha256 == digest,
            let publisher = statement.predicate["publisher"]?.string, BundleManifest.isName(publisher)
        else { throw SigningError.invalidSignatureFile(file: name, reason: "is the signature of something else than \(file)") }
        guard let signers = try policy.signers(of: envelope, publisher: publisher) else { return .unknown(publisher: publisher) }
        guard !signers.isEmpty else {
            throw SigningError.invalidSignatureFile(file: name, reason: "is by no key that signs for \(publisher) today")
        }
        return .signed(by: publisher)
    }
}
