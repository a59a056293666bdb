import HubCore

extension GitObjects {
    /// The newest commit that both come from; `nil` when their histories have nothing in common.
    ///
    /// As git's `merge-base`, except that where several are equally good it is the one with the latest time.
    ///
    /// - Throws: `.refused` when more than `limit` commits would have to be visited.
    package func mergeBase(_ first: GitOID, _ second: GitOID, limit: Int = 500_000) throws(GitStoreError) -> GitOID? {
        var found: GitOID?
        try walk(first: [first], second: [second], until: .nothingIsLeft, limit: limit) { oid, marks in
            guard marks == .both else { return true }
            found = oid
            return false
        }
        return found
    }

    /// The commits that `tip` has and none of `others` has, newest first, at most `maximum`.
    package func commits(
        of tip: GitOID, notIn others: [GitOID], maximum: Int, limit: Int = 500_000
    ) throws(GitStoreError) -> [NamedCommit] {
        var found: [GitOID] = []
        try walk(first: [tip], second: others, until: .nothingIsFirstOnly, limit: limit) { oid, marks in
            if marks == .first { found.append(oid) }
            return found.count < maximum
        }
        var commits: [NamedCommit] = []
        for oid in found { commits.append(NamedCommit(oid: oid, commit: try commit(oid))) }
        return commits
    }

    /// Visits commits from both sides, newest first, each with the sides that reach it as far as is known, until `visit` says no or
    /// the end.
    private func walk(
        first: [GitOID], second: [GitOID], until end: SideWalk.End, limit: Int, visit: (GitOID, SideMarks) -> Bool
    ) throws(GitStoreError) {
        let reader = readers.take(self)
        defer { readers.give(back: reader) }
        let graph = try CommitGraph(self, reader: reader)
        var walk = SideWalk()
        for (tips, mark) in [(first, SideMarks.first), (second, .second)] {
            for tip in tips {
                guard let number = number(of: tip) else { throw .missing(tip) }
                let slot = try graph.slot(of: number)
                walk.add(slot, mark, time: graph.time(of: slot))
            }
        }
        var visited = 0
        while let (slot, marks) = walk.next(until: end) {
            visited += 1
            guard visited <= limit else { throw .refused(.overLimit("the history is too long to be compared")) }
            guard visit(oid(of: graph.number(of: slot)), marks) else { return }
            for parent in graph.parents(of: slot) {
                let parent = try graph.slot(of: Int(parent))
                walk.add(parent, marks, time: graph.time(of: parent))
            }
        }
    }
}

/// Which of two sides reaches a commit.
private struct SideMarks: OptionSet {
    let rawValue: UInt8
    static let first = SideMarks(rawValue: 1)
    static let second = SideMarks(rawValue: 2)
    static let both: SideMarks = [.first, .second]
}

/// The marks and the queue of a walk from two sides.
private struct SideWalk {
    enum End {
        case nothingIsLeft
        /// No commit waits that only the first side reaches.
        case nothingIsFirstOnly
    }

    private var marks: [CommitGraph.Slot: SideMarks] = [:]
    private var queued: Set<CommitGraph.Slot> = []
    private var queue = CommitQueue()
    /// Commits in the queue that only the first side reaches.
    private var firstOnly = 0

    mutating func add(_ slot: CommitGraph.Slot, _ new: SideMarks, time: Int64) {
        let before = marks[slot] ?? []
        let after = before.union(new)
        guard after != before else { return }
        marks[slot] = after
        if queued.insert(slot).inserted {
            queue.add(slot, time: time)
        } else if before == .first {
            firstOnly -= 1
        }
        if after == .first { firstOnly += 1 }
    }

    mutating func next(until end: End) -> (CommitGraph.Slot, SideMarks)? {
        guard end == .nothingIsLeft || firstOnly > 0, let slot = queue.next() else { return nil }
        queued.remove(slot)
        let known = marks[slot] ?? []
        if known == .first { firstOnly -= 1 }
        return (slot, known)
    }
}
