import HubCore

extension GitObjects {
    /// Whether `old` is `new` or an ancestor of it; `false` too when more than `limit` commits would have to be visited.
    package func isAncestor(_ old: GitOID, of new: GitOID, limit: Int = 1_000_000) throws(GitStoreError) -> Bool {
        guard let newNumber = number(of: new) else { throw .missing(new) }
        guard let oldNumber = number(of: old) else { return false }
        let reader = readers.take(self)
        defer { readers.give(back: reader) }
        return try CommitGraph(self, reader: reader).isAncestor(oldNumber, of: newNumber, limit: limit)
    }
}

extension CommitGraph {
    /// Walks from both commits at once, newest first, until all that is left to visit is an ancestor of both: so it
    /// costs what lies between them, whatever the answer is.
    ///
    /// Commit times only guide it; the answer does not depend on them.
    func isAncestor(_ old: ObjectNumber, of new: ObjectNumber, limit: Int) throws(GitStoreError) -> Bool {
        if old == new { return true }
        let oldSlot = try slot(of: old)
        var walk = AncestryWalk()
        walk.add(oldSlot, .fromOld, time: time(of: oldSlot))
        let newSlot = try slot(of: new)
        walk.add(newSlot, .fromNew, time: time(of: newSlot))
        var visited = 0
        while let (slot, marks) = walk.next() {
            visited += 1
            guard visited <= limit else { return false }
            for parent in parents(of: slot) {
                let parent = try self.slot(of: Int(parent))
                walk.add(parent, marks, time: time(of: parent))
                if parent == oldSlot, marks.contains(.fromNew) { return true }
            }
        }
        return false
    }

    /// Whether any of the targets is `start` or an ancestor of it, visiting the newest commits first.
    ///
    /// Commits more than a day older than all targets are not followed; wrong clocks may so hide an ancestor.
    func reaches(_ targets: Set<ObjectNumber>, from start: ObjectNumber) throws(GitStoreError) -> Bool {
        if targets.contains(start) { return true }
        var oldest = Int64.max
        for target in targets { oldest = min(oldest, time(of: try slot(of: target))) }
        let cutoff = oldest.subtractingReportingOverflow(Self.clockTolerance).partialValue
        var seen = try ObjectSet(capacity: objects.objectCount)
        var queue = CommitQueue()
        let first = try slot(of: start)
        seen.insert(start)
        queue.add(first, time: time(of: first))
        while let next = queue.next() {
            for parent in parents(of: next) {
                if targets.contains(Int(parent)) { return true }
                guard seen.insert(Int(parent)) else { continue }
                let slot = try slot(of: Int(parent))
                if time(of: slot) >= cutoff { queue.add(slot, time: time(of: slot)) }
            }
        }
        return false
    }

    private static let clockTolerance: Int64 = 86_400
}

/// The marks and the queue of a walk from two commits.
private struct AncestryWalk {
    struct Marks: OptionSet {
        let rawValue: UInt8
        static let fromOld = Marks(rawValue: 1)
        static let fromNew = Marks(rawValue: 2)
        static let both: Marks = [.fromOld, .fromNew]
    }

    private var marks: [CommitGraph.Slot: Marks] = [:]
    private var queued: Set<CommitGraph.Slot> = []
    private var queue = CommitQueue()
    /// Commits in the queue that are not ancestors of both.
    private var undecided = 0

    mutating func add(_ slot: CommitGraph.Slot, _ new: Marks, time: Int64) {
        let before = marks[slot] ?? []
        let after = before.union(new)
        guard after != before else { return }
        marks[slot] = after
        if queued.contains(slot) {
            if before != .both, after == .both { undecided -= 1 }
        } else {
            queued.insert(slot)
            if after != .both { undecided += 1 }
            queue.add(slot, time: time)
        }
    }

    /// `nil` when nothing undecided is left.
    mutating func next() -> (CommitGraph.Slot, Marks)? {
        guard undecided > 0, let slot = queue.next() else { return nil }
        queued.remove(slot)
        let marks = marks[slot] ?? []
        if marks != .both { undecided -= 1 }
        return (slot, marks)
    }
}
