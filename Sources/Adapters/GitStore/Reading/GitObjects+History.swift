import HubCore

extension GitObjects {
    /// A commit and its name.
    package struct NamedCommit: Sendable {
        package let oid: GitOID
        package let commit: GitCommit

        package init(oid: GitOID, commit: GitCommit) {
            self.oid = oid
            self.commit = commit
        }
    }

    /// `tip` and what came before it, newest first, as `git log` shows it.
    ///
    /// - Parameters:
    ///   - skip: How many of the newest to leave out.
    ///   - limit: How many to return at most.
    package func history(from tip: GitOID, skip: Int = 0, limit: Int) throws(GitStoreError) -> [NamedCommit] {
        guard let start = number(of: tip) else { throw .missing(tip) }
        let reader = readers.take(self)
        defer { readers.give(back: reader) }
        let graph = try CommitGraph(self, reader: reader)
        var seen = try ObjectSet(capacity: objectCount)
        var queue = CommitQueue()
        seen.insert(start)
        let first = try graph.slot(of: start)
        queue.add(first, time: graph.time(of: first))
        var found: [GitOID] = []
        var passed = 0
        while found.count < limit, let slot = queue.next() {
            if passed >= skip { found.append(oid(of: graph.number(of: slot))) }
            passed += 1
            for parent in graph.parents(of: slot) where seen.insert(Int(parent)) {
                let parent = try graph.slot(of: Int(parent))
                queue.add(parent, time: graph.time(of: parent))
            }
        }
        var commits: [NamedCommit] = []
        for oid in found { commits.append(NamedCommit(oid: oid, commit: try commit(oid))) }
        return commits
    }

    /// The commit whose name begins with these hex digits; `nil` when there is none or more than one.
    package func commit(abbreviated prefix: String) throws(GitStoreError) -> GitOID? {
        guard (2..<40).contains(prefix.utf8.count), let byte = UInt8(prefix.prefix(2), radix: 16) else { return nil }
        var found: Set<GitOID> = []
        for pack in opened {
            for position in pack.index.positions(firstByte: byte) {
                let oid = pack.index.oid(at: position)
                guard oid.hex.hasPrefix(prefix), try header(of: oid)?.type == .commit else { continue }
                found.insert(oid)
                if found.count > 1 { return nil }
            }
        }
        return found.first
    }
}
