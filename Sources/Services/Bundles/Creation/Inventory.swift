import BundleFormat
import HubCore

/// What a site has, for whoever makes bundles for it: `csghub inventory export` writes it, `csghub bundle create --since` reads it.
///
/// Canonical JSON (RFC 8785), so that it has one hash: `{"created", "objects": ["<sha256>", …] sorted, "repos": [{"name", "refs":
/// [{"name", "oid"}], "type"}], "schema": "hubinventory/1", "site"}`.
package struct Inventory: Hashable, Sendable {
    package static let schema = "hubinventory/1"
    /// About five million objects.
    package static let maximumBytes = 512 << 20

    package struct Repository: Hashable, Sendable {
        package struct Ref: Hashable, Sendable {
            package var name: ReferenceName
            package var oid: GitOID

            package init(name: ReferenceName, oid: GitOID) {
                self.name = name
                self.oid = oid
            }
        }

        package var reference: RepositoryReference
        package var refs: [Ref]

        package init(reference: RepositoryReference, refs: [Ref]) {
            self.reference = reference
            self.refs = refs
        }
    }

    package var site: String
    package var created: String
    package var repositories: [Repository]
    package var objects: [ObjectID]

    package init(site: String, created: String, repositories: [Repository], objects: [ObjectID]) {
        self.site = site
        self.created = created
        self.repositories = repositories
        self.objects = objects
    }

    package var canonicalBytes: [UInt8] {
        CanonicalJSON.encode([
            "schema": .string(Self.schema), "site": .string(site), "created": .string(created),
            "objects": .array(objects.sorted().map { .string($0.hex) }),
            "repos": .array(
                repositories.map { repository in
                    [
                        "type": .string(repository.reference.kind.rawValue), "name": .string(repository.reference.name.description),
                        "refs": .array(repository.refs.map { ["name": .string($0.name.text), "oid": .string($0.oid.hex)] }),
                    ]
                }),
        ])
    }

    /// - Throws: `BundleError`.
    package init(parsing bytes: [UInt8], file: String) throws {
        let node = try CanonicalJSON.parse(bytes, file: file, maximumBytes: Self.maximumBytes)
        func fault(_ place: String) -> BundleError { .invalidDocument(file: file, place: place, reason: "is missing or has another form") }
        guard node["schema"]?.string == Self.schema else { throw BundleError.unknownFormat(node["schema"]?.string ?? "none") }
        site = node["site"]?.string ?? ""
        created = node["created"]?.string ?? ""
        objects = try (node["objects"]?.elements ?? []).map { element in
            guard let oid = element.string.flatMap({ ObjectID(hex: $0) }) else { throw fault("objects") }
            return oid
        }
        repositories = try (node["repos"]?.elements ?? []).map { element in
            guard let kind = element["type"]?.string.flatMap({ RepositoryKind(rawValue: $0) }), let text = element["name"]?.string
            else { throw fault("repos") }
            let name = try RepositoryName(parsing: text)
            let refs = try (element["refs"]?.elements ?? []).map { ref in
                guard let name = ref["name"]?.string.flatMap({ ReferenceName($0) }), let oid = ref["oid"]?.string.flatMap({ GitOID(hex: $0) })
                else { throw fault("repos.refs") }
                return Repository.Ref(name: name, oid: oid)
            }
            return Repository(reference: RepositoryReference(kind: kind, name: name), refs: refs)
        }
    }
}
