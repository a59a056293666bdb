import HubCore

/// The objects that a request is answered with, and what is known of the client's.
struct ObjectSelection: ~Copyable {
    /// What is sent.
    var selected: ObjectSet
    /// What the client has, as far as the walk came upon it.
    var known: ObjectSet
    /// What the walk has dealt with: selected, known or left out by the filter.
    var seen: ObjectSet
    /// For trees and blobs to send, one that the client has at the same path: a base for a delta.
    var candidates: [UInt32: UInt32] = [:]

    /// - Throws: `.outOfMemory`.
    init(_ objects: GitObjects) throws(GitStoreError) {
        // All of them first: what cannot be copied cannot be half made.
        let selected = try ObjectSet(capacity: objects.objectCount)
        let known = try ObjectSet(capacity: objects.objectCount)
        let seen = try ObjectSet(capacity: objects.objectCount)
        self.selected = selected
        self.known = known
        self.seen = seen
    }

    mutating func markKnown(_ number: ObjectNumber) {
        if seen.insert(number) { known.insert(number) }
    }
}

extension ObjectSelection {
    /// Finds all that a request is to be answered with.
    ///
    /// - Parameter check: Called often with the number of objects found; throws to stop the work.
    static func of(
        _ request: FetchRequest, in objects: GitObjects, reader: ObjectReader,
        check: (Int) throws(GitStoreError) -> Void
    ) throws(GitStoreError) -> ObjectSelection {
        let wanted = try NamedObjects(request.wants, in: objects, reader: reader, ignoringMissing: false)
        let had = try NamedObjects(request.haves, in: objects, reader: reader, ignoringMissing: true)
        let graph = try CommitGraph(objects, reader: reader)
        let plan = try ShallowPlan(request, wants: wanted.commits, graph: graph, check: check)
        var walk = CommitWalk(graph, cut: plan.cut)
        let commits = try walk.run(
            wants: wanted.commits + plan.furtherWants, haves: had.commits + plan.furtherHaves, check: check)

        var selection = try ObjectSelection(objects)
        let filter = request.filter ?? .everything
        selection.add(wanted: wanted, had: had)
        let named = Set(wanted.commits)
        var roots = TreeWalk.Group(depth: 0)
        for slot in commits.interesting {
            let number = graph.number(of: slot)
            guard selection.seen.insert(number) else { continue }
            if filter.types.contains(.commit) || named.contains(number) { selection.selected.insert(number) }
            roots.interesting.append(UInt32(graph.tree(of: slot)))
        }
        // With a shallow history the boundary may have no edge into what the client has, so its own commits serve as well.
        let isShallow = !plan.cut.isEmpty
        var edges = commits.boundary
        if isShallow {
            for number in had.commits + plan.furtherHaves { edges.append(try graph.slot(of: number)) }
        }
        for slot in edges {
            selection.markKnown(graph.number(of: slot))
            roots.boundary.append(UInt32(graph.tree(of: slot)))
        }
        for number in had.trees { roots.boundary.append(UInt32(number)) }
        try selection.walkTrees(
            roots, wanted: wanted.trees, filter: filter, wantsCandidates: request.allowsThinDeltas, objects: objects,
            reader: reader,
            check: check)
        try selection.addTags(request, objects: objects, reader: reader)
        return selection
    }

    /// What is named by a want is sent whatever the filter says, unless the client says that it has it.
    private mutating func add(wanted: NamedObjects, had: NamedObjects) {
        for number in had.tags + had.blobs { markKnown(number) }
        for number in wanted.tags + wanted.trees + wanted.blobs where seen.insert(number) { selected.insert(number) }
    }

    private mutating func walkTrees(
        _ roots: TreeWalk.Group, wanted: [ObjectNumber], filter: ObjectFilter, wantsCandidates: Bool,
        objects: GitObjects,
        reader: ObjectReader, check: (Int) throws(GitStoreError) -> Void
    ) throws(GitStoreError) {
        var walk = TreeWalk(
            objects, reader: reader, filter: filter, wantsCandidates: wantsCandidates && !roots.boundary.isEmpty)
        try walk.run(roots, wanted: wanted, selection: &self, check: check)
    }

    /// Tags whose target is sent are sent too, with the tags in between where tags name tags.
    private mutating func addTags(
        _ request: FetchRequest, objects: GitObjects, reader: ObjectReader
    ) throws(GitStoreError) {
        for reference in request.tags {
            guard let peeled = reference.peeled, let target = objects.number(of: peeled), selected.contains(target)
            else { continue }
            let chain = try NamedObjects([reference.oid], in: objects, reader: reader, ignoringMissing: true)
            for number in chain.tags where seen.insert(number) { selected.insert(number) }
        }
    }
}
