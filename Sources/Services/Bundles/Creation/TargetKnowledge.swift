import BundleFormat
import HubCore

/// What the target of a delta has: by its own inventory, or by the bundles that were sent to it.
package struct TargetKnowledge: Sendable {
    package struct Repository: Sendable {
        package var refs: [ReferenceName: GitOID] = [:]
    }

    package private(set) var objects: Set<ObjectID> = []
    package private(set) var repositories: [String: Repository] = [:]
    package private(set) var base = BundleManifest.Base()

    package init() {}

    package var isEmpty: Bool { base.inventory == nil && base.bundleIDs.isEmpty }

    /// What the target has once it has this bundle and what that presumed.
    package mutating func add(_ manifest: BundleManifest) {
        base.bundleIDs.append(BundleID(manifest: BundleDigest.hash(manifest.canonicalBytes)).text)
        for repository in manifest.repositories {
            objects.formUnion(repository.objects.map(\.oid))
            for ref in repository.refs { repositories[Self.key(repository.reference), default: .init()].refs[ref.name] = ref.oid }
        }
    }

    package mutating func add(_ inventory: Inventory, digest: ObjectID) {
        base.inventory = digest
        objects.formUnion(inventory.objects)
        for repository in inventory.repositories {
            for ref in repository.refs { repositories[Self.key(repository.reference), default: .init()].refs[ref.name] = ref.oid }
        }
    }

    package func refs(of reference: RepositoryReference) -> [ReferenceName: GitOID] { repositories[Self.key(reference)]?.refs ?? [:] }

    private static func key(_ reference: RepositoryReference) -> String {
        "\(reference.kind.rawValue)/\(reference.name.description.lowercased())"
    }
}
