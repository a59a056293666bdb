import BundleFormat
import HubCore
import MetadataStore

/// Where each repository of a bundle goes on this hub.
struct ImportTarget: Sendable {
    let source: BundleRepository
    /// The repository that it goes to, if that is there.
    let existing: Repository?
    /// Its name if it is made.
    let reference: RepositoryReference
    /// An earlier bundle of the same publisher made `existing`.
    let isFollowed: Bool

    /// Its own, or the one that it gets.
    let visibility: Visibility

    var name: RepositoryReference { existing?.reference ?? reference }
}

extension BundleImporter {
    /// - Throws: `ImportError.invalidMapping`, `.sameName`.
    func targets(of manifest: BundleManifest, _ options: ImportOptions) async throws -> [ImportTarget] {
        var targets: [ImportTarget] = []
        var taken: Set<String> = []
        for source in manifest.repositories {
            let reference = try options.reference(of: source.reference)
            let followed = try await store.importedRepository(publisher: manifest.publisher, sourceUID: source.uid)
            var existing = followed
            if existing == nil, case .found(let repository) = try await store.repository(reference) {
                existing = repository
            }
            let target = ImportTarget(
                source: source, existing: existing, reference: reference, isFollowed: followed != nil,
                visibility: existing?.visibility ?? options.visibility ?? .internal)
            guard taken.insert(target.name.description.lowercased()).inserted else {
                throw ImportError.sameName(target.name.description)
            }
            targets.append(target)
        }
        return targets
    }

    /// The owners of new repositories: organizations that will be made, and names that somebody must decide about.
    func owners(of targets: [ImportTarget], _ options: ImportOptions) async throws -> (new: [String], held: [String]) {
        var new: Set<String> = []
        var held: Set<String> = []
        var seen: Set<String> = []
        for target in targets where target.existing == nil {
            let owner = target.reference.name.owner
            let isMapped = options.mapped(target.source.name.owner) != nil
            guard seen.insert("\(owner.key) \(isMapped)").inserted else { continue }
            switch try await store.namespace(named: owner)?.owner {
            case .organization: continue
            case .account:
                // Put there only when somebody said so.
                if !isMapped { held.insert(owner.text) }
            case nil:
                if (try? NamespaceName(parsing: owner.text)) == nil {  // Reserved here; the mapping is asked for.
                    held.insert(owner.text)
                } else {
                    new.insert(owner.text)
                }
            }
        }
        return (new.sorted(), held.sorted())
    }
}
