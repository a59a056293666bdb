import BundleFormat
import Bundles
import HubAPI
import HubCore

/// Where verbs that can do without a hub find whom to trust.
struct TrustSource {
    let session: CommandSession
    /// The data directory that was named.
    let data: String?

    /// - Parameter files: lists of keys that alone decide when there are any.
    func policy(files: [String]) async throws -> TrustPolicy {
        guard files.isEmpty else {
            let roots = try files.map { try TrustRoot.read(file: HubLocation.absolute($0)) }
            for root in roots { try root.checkOwnSignatures() }
            let newest = Dictionary(roots.map { ($0.publisher, $0) }) { $0.version > $1.version ? $0 : $1 }
            return TrustPolicy(publishers: newest.values.map { TrustedPublisher(root: $0, origin: .file) })
        }
        var publishers: [TrustedPublisher] = []
        var revoked: [String: String] = [:]
        if let hub = try await hubPolicy() {
            publishers += hub.publishers.values
            revoked.merge(hub.revoked) { first, _ in first }
        }
        if let user = UserTrust(environment: session.environment) {
            let policy = try user.policy(others: [TrustFolder("/etc/csghub/trust")])
            publishers += policy.publishers.values
            revoked.merge(policy.revoked) { first, _ in first }
        }
        return TrustPolicy(publishers: publishers, revoked: revoked)
    }

    /// What the hub of this machine trusts; `nil` where there is none, or none that this user may ask.
    private func hubPolicy() async throws -> TrustPolicy? {
        guard let location = try? HubLocation.find(flag: data, environment: session.environment) else {  // No hub here.
            if let data { throw CommandFailure(.unavailable, "There is no hub in \(data).") }
            return nil
        }
        let transport: any HubTransport
        do {
            transport = try await session.connect(location, session)
        } catch {
            // Whoever named the hub wants it asked.
            if data != nil { throw error }
            return nil
        }
        do {
            let policy = try await Self.policy(of: HubClient(transport: transport))
            try await transport.close()
            return policy
        } catch {
            // The first error says more than one of closing.
            try? await transport.close()
            throw error
        }
    }

    private static func policy(of client: HubClient) async throws -> TrustPolicy {
        let known: ListPage<PublisherModel> = try await client.get(["trust", "publishers"])
        let revocations: ListPage<RevokedKeyModel> = try await client.get(["trust", "revocations"])
        let publishers = try known.items.compactMap { model -> TrustedPublisher? in
            guard let document = model.documents.last else { return nil }
            return TrustedPublisher(
                root: try TrustRoot(parsing: Array(document.utf8), file: "a list of keys of the hub"),
                origin: TrustedPublisher.Origin(rawValue: model.origin) ?? .administrator, withdrawn: model.withdrawn)
        }
        let revoked = revocations.items.compactMap { model in
            Fingerprint.parse(model.fingerprint).map { ($0, model.reason) }
        }
        return TrustPolicy(publishers: publishers, revoked: Dictionary(revoked) { first, _ in first })
    }
}
