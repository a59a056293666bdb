import HubCore

/// Selects trees and blobs, one path of the repository after another.
///
/// First come all versions of the root, then all versions of each folder in it, and so on.
/// Versions of one tree are each other's deltas, so they are read together and in the order in which they lie in their pack.
/// A path is entered only where something new is; there, what the client has is marked first. So a fetch costs what has
/// changed and not what there is (git calls it the sparse algorithm). What the client has elsewhere may be sent again.
/// Depth grows from path to path, which makes `tree:<depth>` right at the first visit.
struct TreeWalk {
    /// The versions of the tree at one path.
    struct Group {
        let depth: Int
        /// Trees to send, by object number.
        var interesting: [UInt32] = []
        /// Trees that the client has.
        var boundary: [UInt32] = []
    }

    /// With more candidates than this the fetch is large and its stored deltas do well enough.
    private static let maximumCandidates = 20_000

    private let objects: GitObjects
    private let reader: ObjectReader
    private let filter: ObjectFilter
    private let wantsCandidates: Bool
    private let wantsTrees: Bool
    private let wantsBlobs: Bool
    private var finder: NumberFinder
    private var children = ChildTable()
    private var difference = TreeDifference()
    /// Groups still to be walked, in the order of their depth.
    private var groups: [Group] = []

    init(_ objects: GitObjects, reader: ObjectReader, filter: ObjectFilter, wantsCandidates: Bool) {
        self.objects = objects
        self.reader = reader
        self.filter = filter
        self.wantsCandidates = wantsCandidates
        wantsTrees = filter.types.contains(.tree)
        wantsBlobs = filter.types.contains(.blob) && filter.blobLimit != 0
        finder = NumberFinder(objects)
    }

    /// - Parameters:
    ///   - roots: The root trees of commits.
    ///   - wanted: Trees that were wanted by name and are selected already.
    mutating func run(
        _ roots: Group, wanted: [ObjectNumber], selection: inout ObjectSelection,
        check: (Int) throws(GitStoreError) -> Void
    ) throws(GitStoreError) {
        guard wantsTrees || wantsBlobs, filter.treeDepth != 0 || !wanted.isEmpty else { return }
        for tree in roots.boundary { selection.markKnown(Int(tree)) }
        // What a wanted tree names counts as if it stood at the root, as in git: the filter is not asked about the tree itself.
        let named = Group(
            depth: -1, interesting: wanted.map { UInt32($0) }, boundary: wanted.isEmpty ? [] : roots.boundary)
        var first = Group(depth: 0, boundary: roots.boundary)
        if filter.treeDepth != 0 {
            for tree in roots.interesting where selection.seen.insert(Int(tree)) {
                if wantsTrees { selection.selected.insert(Int(tree)) }
                if let base = roots.boundary.first { note(candidate: base, for: tree, &selection) }
                first.interesting.append(tree)
            }
        }
        groups = [named, first]
        var next = 0
        while next < groups.count {
            let group = groups[next]
            groups[next] = Group(depth: 0)
            next += 1
            try check(selection.selected.count)
            try walk(group, selection: &selection, check: check)
            if next > 1024, next * 2 > groups.count {
                groups.removeFirst(next)
                next = 0
            }
        }
    }

    private mutating func walk(
        _ group: Group, selection: inout ObjectSelection, check: (Int) throws(GitStoreError) -> Void
    ) throws(GitStoreError) {
        if let limit = filter.treeDepth, group.depth + 1 >= limit { return }
        children.removeAll()
        difference.reset()
        for tree in inFileOrder(group.boundary) { try markEntries(of: tree, selection: &selection) }
        for (visited, tree) in inFileOrder(group.interesting).enumerated() {
            if visited & 0xff == 0xff { try check(selection.selected.count) }
            try selectEntries(of: tree, selection: &selection)
        }
        for child in children.children where !child.interesting.isEmpty {
            groups.append(Group(depth: group.depth + 1, interesting: child.interesting, boundary: child.boundary))
        }
    }

    /// Marks what a tree of the client names, without going deeper.
    private mutating func markEntries(of tree: Int, selection: inout ObjectSelection) throws(GitStoreError) {
        try forEachNewEntry(of: tree) { walk, entry throws(GitStoreError) in
            if GitFileMode.isGitlink(entry.mode) { return }
            guard let number = walk.finder.number(of: NameWords(at: entry.oidBytes)) else { return }
            selection.markKnown(number)
            let isTree = GitFileMode.isTree(entry.mode)
            guard isTree || walk.wantsCandidates else { return }
            walk.children.withChild(entry.name) { child in
                if isTree {
                    child.boundary.append(UInt32(number))
                } else {
                    child.boundaryBlob = UInt32(number) + 1
                }
            }
        }
    }

    /// Selects what a new tree names and nobody has met before.
    private mutating func selectEntries(of tree: Int, selection: inout ObjectSelection) throws(GitStoreError) {
        try forEachNewEntry(of: tree) { walk, entry throws(GitStoreError) in
            let isTree = GitFileMode.isTree(entry.mode)
            if !isTree, !walk.wantsBlobs || GitFileMode.isGitlink(entry.mode) { return }
            guard let number = walk.finder.number(of: NameWords(at: entry.oidBytes)) else { throw .missing(entry.oid) }
            guard selection.seen.insert(number) else { return }
            if isTree {
                if walk.wantsTrees { selection.selected.insert(number) }
                walk.children.withChild(entry.name) { child in child.interesting.append(UInt32(number)) }
                if walk.wantsCandidates, let base = walk.children.child(named: entry.name)?.boundary.first {
                    walk.note(candidate: base, for: UInt32(number), &selection)
                }
            } else {
                if let limit = walk.filter.blobLimit, try walk.reader.header(of: number).sizeBytes >= limit { return }
                selection.selected.insert(number)
                if walk.wantsCandidates, let child = walk.children.child(named: entry.name), child.boundaryBlob != 0 {
                    walk.note(candidate: child.boundaryBlob - 1, for: UInt32(number), &selection)
                }
            }
        }
    }

    /// Calls `body` with the entries that the tree before, of the same path, did not have.
    @inline(__always)
    private mutating func forEachNewEntry(
        of tree: Int, _ body: (inout TreeWalk, TreeParser.Entry) throws(GitStoreError) -> Void
    ) throws(GitStoreError) {
        let bytes = try reader.load(tree, expecting: .tree)
        // Taken out, so that `body` may change the rest of the walk.
        var difference = TreeDifference()
        swap(&difference, &self.difference)
        defer { swap(&difference, &self.difference) }
        do {
            try difference.read(bytes) { entry throws(GitStoreError) in try body(&self, entry) }
        } catch .malformed(let what) {
            throw .corrupt(what)
        }
    }

    private func note(candidate base: UInt32, for number: UInt32, _ selection: inout ObjectSelection) {
        guard wantsCandidates, selection.candidates.count < Self.maximumCandidates else { return }
        selection.candidates[number] = base
    }

    /// Each tree once, in the order of packs and places in them, so that bases come before their deltas.
    private func inFileOrder(_ trees: [UInt32]) -> [Int] {
        guard trees.count > 1 else { return trees.map { Int($0) } }
        var keyed = trees.map { tree -> (key: UInt64, tree: Int) in
            let ordinal = objects.ordinal(of: Int(tree))
            let offset = objects.opened[ordinal].index.offset(at: Int(tree) - objects.firstNumber(ofPack: ordinal))
            return (UInt64(ordinal) << 48 | UInt64(offset), Int(tree))
        }
        keyed.sort { $0.key < $1.key }
        var order: [Int] = []
        order.reserveCapacity(keyed.count)
        for item in keyed where order.last != item.tree { order.append(item.tree) }
        return order
    }
}
