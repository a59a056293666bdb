import Foundation

@testable import BundleFormat

/// A bundle of `offline-bundles/golden`, which its README describes.
struct GoldenBundle {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "offline-bundles/golden").path

    let location: BundleLocation

    init(_ number: Int) throws {
        let found = try Media.bundles(below: "\(Self.folder)/media/\(number)")
        guard let first = found.first, found.count == 1 else { throw CocoaError(.fileNoSuchFile) }
        location = first
    }

    var manifest: BundleManifest { location.manifest }

    func file(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: "\(location.folder)/\(name)")))
    }

    func reader(_ volume: Int = 1) throws -> VolumeReader {
        let volume = manifest.volumes[volume - 1]
        return try VolumeReader(path: location.path(of: volume), volume: volume)
    }

    /// The first list of keys, as a person pinned it.
    static func pinned() throws -> TrustRoot { try TrustRoot.read(file: "\(folder)/keys/first/root.1.json") }

    static func policy() throws -> TrustPolicy {
        TrustPolicy(publishers: [TrustedPublisher(root: try pinned(), origin: .administrator)])
    }
}
