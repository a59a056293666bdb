import BundleFormat
import HubCore
import Testing

@testable import Bundles

@Suite("What authors and sites declare")
struct DeclaredFactsTests {
    private func license(_ yaml: String) -> BundleRepository.License? {
        DeclaredLicense.of(readme: Array("---\n\(yaml)\n---\n# Model\n".utf8), files: [])
    }

    @Test("several licenses of a card hold all, and a card that asks readers for something is gated")
    func cards() {
        #expect(license("license: mit")?.spdx == "MIT")
        #expect(license("license: [apache-2.0, cc-by-nc-4.0]")?.spdx == "Apache-2.0 AND CC-BY-NC-4.0")
        #expect(license("license: other\nlicense_name: llama3.1")?.spdx == "LicenseRef-llama3.1")
        #expect(license("license: mit")?.isGated == false && license("title: x") == nil)
        #expect(license("extra_gated_prompt: You agree")?.isGated == true)
    }

    @Test("an inventory's signature holds for its bytes and its trusted publisher alone")
    func inventory() throws {
        let identity = try PublisherIdentity.make(publisher: "site", key: .make(.ed25519), modelKey: nil)
        let (digest, other) = (BundleDigest.hash([1]), BundleDigest.hash([2]))
        let signature = try InventorySignature.make(of: digest, by: identity).bytes
        let trusting = TrustPolicy(publishers: [TrustedPublisher(root: identity.roots[0], origin: .administrator)])
        func judge(_ signature: [UInt8]?, _ digest: ObjectID, _ policy: TrustPolicy) throws -> InventorySignature.Verdict {
            try InventorySignature.judge(signature, of: digest, file: "inventory.json", by: policy)
        }
        #expect(try judge(signature, digest, trusting) == .signed(by: "site"))
        #expect(try judge(nil, digest, trusting) == .unsigned)
        #expect(try judge(signature, digest, TrustPolicy()) == .unknown(publisher: "site"))
        #expect(throws: SigningError.self) { try judge(signature, other, trusting) }
        #expect(throws: SigningError.self) { try judge(Array("{}".utf8), digest, trusting) }
        let thief = try PublisherIdentity.make(publisher: "site", key: .make(.ed25519), modelKey: nil)
        #expect(throws: SigningError.self) { try judge(InventorySignature.make(of: digest, by: thief).bytes, digest, trusting) }
        let revoking = TrustPolicy(publishers: Array(trusting.publishers.values), revoked: [identity.keys[0].publicKey.keyID: "stolen"])
        #expect(throws: SigningError.self) { try judge(signature, digest, revoking) }
    }
}
