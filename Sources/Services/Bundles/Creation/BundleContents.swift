import BundleFormat
import HubCore

/// What goes into a bundle: what its manifest says of the repositories, and the files that have the bytes.
package struct BundleContents: Sendable {
    package var repositories: [BundleRepository] = []
    package var aliases: [BundleManifest.Alias] = []
    package var items: [BundleItem] = []
    package var custody: [BundleManifest.CustodyStep] = []
    /// The files of models and the hashes of their content, by the uid of the repository, for signatures.
    package var modelFiles: [String: [(path: String, sha256: ObjectID)]] = [:]

    package init() {}

    package mutating func add(_ repository: BundleRepository, items: [BundleItem]) {
        repositories.append(repository)
        self.items += items
    }

    /// Each large object once, though several repositories have it; small things first, then objects in the order of repositories.
    package mutating func settle() throws(CreationError) {
        var names: Set<String> = []
        for repository in repositories where !names.insert("\(repository.kind.rawValue)/\(repository.name.description.lowercased())").inserted {
            throw .duplicate("\(repository.kind.rawValue) \(repository.name)")
        }
        var seen: Set<BundleItem.Content> = []
        items = items.filter { seen.insert($0.content).inserted }
        let isObject: (BundleItem) -> Bool = { if case .object = $0.content { true } else { false } }
        items = items.filter { !isObject($0) } + items.filter(isObject)
    }

    /// The large objects that the bundle carries.
    var carried: [ObjectID: Int64] {
        var sizes: [ObjectID: Int64] = [:]
        for object in repositories.lazy.flatMap(\.objects) where object.isInBundle { sizes[object.oid] = object.sizeBytes }
        return sizes
    }

    /// Those that the target must have.
    var required: Set<ObjectID> { Set(repositories.lazy.flatMap(\.objects).filter { !$0.isInBundle }.map(\.oid)) }

    /// `meta/objects.bin` and `meta/requires.bin`: sorted 32-byte names.
    static func list(_ oids: some Sequence<ObjectID>) -> [UInt8] { oids.sorted().flatMap(\.bytes) }
}
