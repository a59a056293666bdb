import BundleFormat
import GitStore
import HubCore

/// What is kept of a repository that was made of snapshots: its last commit and its packs.
struct History {
    var commit: GitOID?
    var tree: GitOID?
    var upstream: String?
    var packs: [PackDescription] = []

    init(_ folder: CreationFolder, uid: RepositoryUID) throws {
        let name = "\(uid).json"
        guard folder.has(name) else { return }
        let node = try JSONParser.parse(folder.read(name, limit: 16 << 20), limits: .init(depth: 8, values: 1_000_000))
        commit = node["commit"]?.string.flatMap { GitOID(hex: $0) }
        tree = node["tree"]?.string.flatMap { GitOID(hex: $0) }
        upstream = node["upstream"]?.string
        packs = try (node["packs"]?.elements ?? []).map { pack in
            guard let id = pack["id"]?.string.flatMap({ GitOID(hex: $0) }), let objects = pack["objects"]?.integer,
                let size = pack["size"]?.integer, let end = pack["body_end"]?.integer, let own = pack["own"]?.integer
            else { throw CreationError.damagedWork(path: folder.file(name)) }
            return PackDescription(
                id: PackID(id), objectCount: Int(objects), sizeBytes: size, bodyEnd: end, ownObjectCount: Int(own),
                isDisjoint: pack["disjoint"]?.bool ?? false, isFullyReachable: pack["reachable"]?.bool ?? false)
        }
    }

    func save(in folder: CreationFolder, uid: RepositoryUID) throws(CreationError) {
        let node: JSONNode = [
            "commit": JSONNode(commit?.hex), "tree": JSONNode(tree?.hex), "upstream": JSONNode(upstream),
            "packs": .array(
                packs.map { pack in
                    [
                        "id": .string(pack.id.description), "objects": .integer(Int64(pack.objectCount)), "size": .integer(pack.sizeBytes),
                        "body_end": .integer(pack.bodyEnd), "own": .integer(Int64(pack.ownObjectCount)), "disjoint": .bool(pack.isDisjoint),
                        "reachable": .bool(pack.isFullyReachable),
                    ]
                }),
        ]
        try folder.write(Array(node.text.utf8), to: "\(uid).json")
    }
}
