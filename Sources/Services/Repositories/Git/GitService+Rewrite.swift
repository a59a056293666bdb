import GitStore
import HubCore
import Identity
import MetadataStore

extension GitService {
    /// Makes all branches and tags anew without the files that stand for these large objects.
    ///
    /// Commits that never had one of them stay as they are. Everybody who has a clone must clone again.
    package func removeFromHistory(
        _ objects: Set<ObjectID>, of repository: Repository, by caller: Caller
    ) async throws {
        let snapshot = try await snapshot(of: repository)
        let made = try await threads.run { [git, receiveLimits] in
            let writer = try git.makeWriter(for: repository.uid, existing: snapshot.objects, limits: receiveLimits)
            var rewrite = HistoryRewrite(objects: snapshot.objects, writer: writer, removed: objects)
            var commands: [PushCommand] = []
            for reference in snapshot.references {
                let new = try rewrite.rewritten(reference.oid)
                guard new != reference.oid else { continue }
                commands.append(PushCommand(name: reference.name.text, old: reference.oid, new: new))
            }
            return commands.isEmpty ? nil : (commands, try writer.finish(tips: commands.compactMap(\.new)))
        }
        guard let (commands, pack) = made else { return }
        let report = try await push(commands, pack: pack, snapshot: snapshot, isAtomic: true, by: caller)
        for outcome in report.outcomes {
            guard case .updated = outcome else { throw RepositoryError.headMoved(branch: repository.defaultBranch) }
        }
    }
}

/// Makes commits anew without some files. Blocking.
private struct HistoryRewrite {
    private static let maximumCommits = 200_000
    /// Deeper folders stay as they are.
    private static let maximumDepth = 512

    let objects: GitObjects
    let writer: ObjectWriter
    let removed: Set<ObjectID>
    private var commits: [GitOID: GitOID] = [:]
    /// `nil` is a folder with nothing left in it.
    private var trees: [GitOID: GitOID?] = [:]
    private var isRemoved: [GitOID: Bool] = [:]

    init(objects: GitObjects, writer: ObjectWriter, removed: Set<ObjectID>) {
        self.objects = objects
        self.writer = writer
        self.removed = removed
    }

    /// What a ref that points to `oid` points to now.
    mutating func rewritten(_ oid: GitOID) throws -> GitOID {
        switch try objects.header(of: oid)?.type {
        case .commit: return try commit(oid)
        case .tag:
            let tag = try objects.tag(oid)
            let target = try rewritten(tag.target)
            return target == tag.target ? oid : try writer.write(tag, target: target)
        case .tree, .blob, nil: return oid
        }
    }

    /// Parents come before their children; a stack, as histories are deep.
    private mutating func commit(_ tip: GitOID) throws -> GitOID {
        var stack = [tip]
        while let oid = stack.last {
            if commits[oid] != nil {
                stack.removeLast()
                continue
            }
            let old = try objects.commit(oid)
            let open = old.parents.filter { commits[$0] == nil }
            guard open.isEmpty else {
                stack += open
                continue
            }
            stack.removeLast()
            guard commits.count < Self.maximumCommits else { throw RepositoryError.historyTooLong(Self.maximumCommits) }
            let parents = old.parents.map { commits[$0] ?? $0 }
            let tree = try tree(old.tree, depth: 0) ?? writer.write(tree: [])
            commits[oid] = tree == old.tree && parents == old.parents ? oid : try writer.write(old, tree: tree, parents: parents)
        }
        return commits[tip] ?? tip
    }

    private mutating func tree(_ oid: GitOID, depth: Int) throws -> GitOID? {
        guard depth < Self.maximumDepth else { return oid }
        if let known = trees[oid] { return known }
        var kept: [GitTreeEntry] = []
        let entries = try objects.tree(oid)
        for entry in entries {
            if entry.isTree {
                guard let tree = try tree(entry.oid, depth: depth + 1) else { continue }
                kept.append(GitTreeEntry(mode: entry.mode, name: entry.name, oid: tree))
            } else if try !isPointerToRemoved(entry) {
                kept.append(entry)
            }
        }
        let new: GitOID? = kept == entries ? oid : kept.isEmpty ? nil : try writer.write(tree: kept)
        trees[oid] = .some(new)
        return new
    }

    private mutating func isPointerToRemoved(_ entry: GitTreeEntry) throws -> Bool {
        guard GitFileMode.isRegularFile(entry.mode) else { return false }
        if let known = isRemoved[entry.oid] { return known }
        let limit = Int64(LFSPointer.maximumByteCount)
        var found = false
        if let header = try objects.header(of: entry.oid), header.sizeBytes <= limit,
            let pointer = LFSPointer(parsing: try objects.read(entry.oid, limit: limit).bytes)
        {
            found = removed.contains(pointer.oid)
        }
        isRemoved[entry.oid] = found
        return found
    }
}
