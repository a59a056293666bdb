import BundleFormat
import HubCore

/// Who signs a bundle, and how.
struct BundleSigner: Sendable {
    /// The name that the manifest gives the publisher.
    let publisher: String
    /// Of the key, for README.txt.
    let fingerprint: String?
    /// The files that go beside a manifest, by their paths in the bundle's folder.
    let sign: @Sendable (_ manifest: [UInt8]) async throws -> [(path: String, bytes: [UInt8])]
}
