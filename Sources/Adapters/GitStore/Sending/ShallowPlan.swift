import HubCore

/// What a shallow client or a request to deepen means for the walk (git `shallow.c`, `upload-pack.c`).
struct ShallowPlan {
    var update = ShallowUpdate()
    /// Commits that count as having no parents: the new boundary and the client's own.
    var cut: Set<ObjectNumber> = []
    /// The parents of commits that are no longer shallow: the client must get them.
    var furtherWants: [ObjectNumber] = []
    /// Commits that the client has, besides its haves.
    var furtherHaves: [ObjectNumber] = []

    /// The commits of a history that are sent, and those of them that are sent without parents.
    private struct Extent {
        var inner: Set<ObjectNumber> = []
        var boundary: [ObjectNumber] = []
    }

    /// - Parameter wants: The commits that the request wants.
    init(
        _ request: FetchRequest, wants: [ObjectNumber], graph: CommitGraph, check: (Int) throws(GitStoreError) -> Void
    ) throws(GitStoreError) {
        let listed = try Self.commits(request.clientShallow, in: graph)
        cut = listed
        guard let deepen = request.deepen else { return }
        var extent = Extent()
        switch deepen {
        case .depth(let depth, relative: false) where depth >= Deepening.unlimited:
            extent.inner = listed
        case .depth(let depth, relative: false):
            extent = try Self.extent(depth: max(1, depth), from: wants, graph: graph, check: check)
        case .depth(let depth, relative: true):
            let reached = try Self.reachable(listed, from: wants, graph: graph, check: check)
            let (steps, overflow) = max(0, depth).addingReportingOverflow(1)
            extent = try Self.extent(depth: overflow ? depth : steps, from: reached, graph: graph, check: check)
        case .history(let since, let not):
            extent = try Self.extent(since: since, not: not, from: wants, graph: graph, check: check)
        }
        try adopt(extent, listed: listed, graph: graph)
    }

    private mutating func adopt(_ extent: Extent, listed: Set<ObjectNumber>, graph: CommitGraph) throws(GitStoreError) {
        let objects = graph.objects
        for number in extent.boundary where !listed.contains(number) { update.shallow.append(objects.oid(of: number)) }
        cut.formUnion(extent.boundary)
        for number in listed.sorted() where extent.inner.contains(number) {
            update.unshallow.append(objects.oid(of: number))
            furtherHaves.append(number)
            for parent in graph.parents(of: try graph.slot(of: number)) { furtherWants.append(Int(parent)) }
        }
    }

    private static func commits(_ oids: Set<GitOID>, in graph: CommitGraph) throws(GitStoreError) -> Set<ObjectNumber> {
        var numbers: Set<ObjectNumber> = []
        // A client may be shallow at commits that this repository does not have.
        for oid in oids {
            guard let number = graph.objects.number(of: oid) else { continue }
            do {
                _ = try graph.slot(of: number)
                numbers.insert(number)
            } catch .unexpectedType {
                continue
            }
        }
        return numbers
    }

    /// Level by level, so that a commit counts from its nearest start.
    private static func extent(
        depth: Int, from starts: [ObjectNumber], graph: CommitGraph, check: (Int) throws(GitStoreError) -> Void
    ) throws(GitStoreError) -> Extent {
        var extent = Extent()
        var level = unique(starts, excluding: [])
        var remaining = depth
        while !level.isEmpty {
            try check(0)
            remaining -= 1
            if remaining == 0 {
                extent.boundary = level
                return extent
            }
            extent.inner.formUnion(level)
            var parents: [ObjectNumber] = []
            for number in level {
                for parent in graph.parents(of: try graph.slot(of: number)) { parents.append(Int(parent)) }
            }
            level = unique(parents, excluding: extent.inner)
        }
        return extent
    }

    private static func unique(_ numbers: [ObjectNumber], excluding: Set<ObjectNumber>) -> [ObjectNumber] {
        var seen: Set<ObjectNumber> = []
        return numbers.filter { !excluding.contains($0) && seen.insert($0).inserted }
    }

    /// The members of `targets` that can be reached from the starts.
    private static func reachable(
        _ targets: Set<ObjectNumber>, from starts: [ObjectNumber], graph: CommitGraph,
        check: (Int) throws(GitStoreError) -> Void
    ) throws(GitStoreError) -> [ObjectNumber] {
        var found: [ObjectNumber] = []
        try visit(from: starts, graph: graph, check: check) { number, _ throws(GitStoreError) in
            if targets.contains(number) { found.append(number) }
            return found.count < targets.count
        }
        return found
    }

    private static func extent(
        since: Int64?, not excluded: [GitOID], from wants: [ObjectNumber], graph: CommitGraph,
        check: (Int) throws(GitStoreError) -> Void
    ) throws(GitStoreError) -> Extent {
        var hidden: Set<ObjectNumber> = []
        var excludedCommits: [ObjectNumber] = []
        for oid in excluded {
            if let number = graph.objects.number(of: try graph.objects.peel(oid)) { excludedCommits.append(number) }
        }
        try visit(from: excludedCommits, graph: graph, check: check) { number, _ throws(GitStoreError) in
            hidden.insert(number)
            return true
        }
        var selected: [ObjectNumber] = []
        try visit(from: wants, graph: graph, check: check) { number, slot throws(GitStoreError) in
            guard !hidden.contains(number), graph.time(of: slot) >= since ?? .min else { return false }
            selected.append(number)
            return true
        }
        guard !selected.isEmpty else { throw .noCommitsSelected }
        return try bordered(selected, wants: wants, graph: graph, check: check)
    }

    /// Those of the selected that have a parent outside are the boundary; only what is reached without crossing it counts.
    private static func bordered(
        _ selected: [ObjectNumber], wants: [ObjectNumber], graph: CommitGraph,
        check: (Int) throws(GitStoreError) -> Void
    ) throws(GitStoreError) -> Extent {
        let inside = Set(selected)
        var extent = Extent()
        try visit(from: wants, graph: graph, check: check) { number, slot throws(GitStoreError) in
            guard inside.contains(number) else { return false }
            guard graph.parents(of: slot).allSatisfy({ inside.contains(Int($0)) }) else {
                extent.boundary.append(number)
                return false
            }
            extent.inner.insert(number)
            return true
        }
        return extent
    }

    /// Visits each commit once; `body` says whether to go on to its parents.
    private static func visit(
        from starts: [ObjectNumber], graph: CommitGraph, check: (Int) throws(GitStoreError) -> Void,
        _ body: (ObjectNumber, CommitGraph.Slot) throws(GitStoreError) -> Bool
    ) throws(GitStoreError) {
        var seen = try ObjectSet(capacity: graph.objects.objectCount)
        var pending = starts
        while let number = pending.popLast() {
            guard seen.insert(number) else { continue }
            if seen.count & 0xfff == 0 { try check(0) }
            let slot = try graph.slot(of: number)
            guard try body(number, slot) else { continue }
            for parent in graph.parents(of: slot) { pending.append(Int(parent)) }
        }
    }
}
