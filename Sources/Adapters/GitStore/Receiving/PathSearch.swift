import HubCore

/// Looks for the names of blobs in the trees of one pack, breadth first from the newest commits.
struct PathSearch {
    /// Trees that are read at most.
    private static let maximumTrees = 100_000
    private static let maximumPathBytes = 4096

    let objects: GitObjects
    let wanted: Set<GitOID>
    let limit: Int
    private var found: [GitOID: String] = [:]
    private var seen: Set<GitOID> = []
    private var treesLeft = maximumTrees

    init(objects: GitObjects, wanted: Set<GitOID>, limit: Int) {
        self.objects = objects
        self.wanted = wanted
        self.limit = min(limit, wanted.count)
    }

    mutating func run(from tips: [GitOID]) -> [GitOID: String] {
        var commits = tips
        var next = 0
        while next < commits.count, found.count < limit, treesLeft > 0 {
            let oid = commits[next]
            next += 1
            // What is not in this pack, or cannot be read, has no new names.
            guard seen.insert(oid).inserted, let type = try? objects.header(of: oid)?.type else { continue }
            switch type {
            case .commit:
                guard let commit = try? objects.commit(oid) else { continue }
                walk(commit.tree)
                commits.append(contentsOf: commit.parents)
            case .tag:
                if let tag = try? objects.tag(oid) { commits.append(tag.target) }
            case .tree: walk(oid)
            case .blob: continue
            }
        }
        return found
    }

    private mutating func walk(_ root: GitOID) {
        var trees: [(oid: GitOID, path: [UInt8])] = [(root, [])]
        while let (oid, path) = trees.popLast(), found.count < limit, treesLeft > 0 {
            guard seen.insert(oid).inserted, let entries = try? objects.tree(oid) else { continue }
            treesLeft -= 1
            for entry in entries {
                let entryPath = path.isEmpty ? entry.name : path + [UInt8(ascii: "/")] + entry.name
                if entry.isTree {
                    if entryPath.count <= Self.maximumPathBytes { trees.append((entry.oid, entryPath)) }
                } else if wanted.contains(entry.oid), found[entry.oid] == nil, found.count < limit {
                    found[entry.oid] = String(decoding: entryPath, as: UTF8.self)
                }
            }
        }
    }
}
