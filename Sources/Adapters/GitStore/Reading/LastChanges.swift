import Glibc
import HubCore

extension GitObjects {
    /// For each path, the commit that last changed what is there, as `git log -1 -- <path>` finds it.
    ///
    /// All paths are followed in one walk, and of each pair of trees only what differs is looked at.
    ///
    /// - Parameters:
    ///   - paths: Files and folders that `tip` has.
    ///   - maximumCommits: Paths whose last change lies further back are left out.
    package func lastChanges(
        of paths: [String], at tip: GitOID, maximumCommits: Int = 20_000
    ) throws(GitStoreError) -> [String: GitOID] {
        guard let start = number(of: tip) else { throw .missing(tip) }
        let reader = readers.take(self)
        defer { readers.give(back: reader) }
        let graph = try CommitGraph(self, reader: reader)
        let root = PathTree(paths)
        var queue = CommitQueue()
        let first = try graph.slot(of: start)
        var pending: [CommitGraph.Slot: Set<Int>] = [first: Set(paths.indices)]
        queue.add(first, time: graph.time(of: first))
        var result: [String: GitOID] = [:]
        var visited = 0
        while visited < maximumCommits, let slot = queue.next() {
            visited += 1
            guard var here = pending.removeValue(forKey: slot) else { continue }
            let tree = oid(of: graph.tree(of: slot))
            for parent in graph.parents(of: slot) where !here.isEmpty {
                let parent = try graph.slot(of: Int(parent))
                var changed: Set<Int> = []
                try addChanges(between: tree, and: oid(of: graph.tree(of: parent)), in: root, to: &changed)
                let same = here.subtracting(changed)
                guard !same.isEmpty else { continue }
                here.formIntersection(changed)
                if pending[parent] == nil { queue.add(parent, time: graph.time(of: parent)) }
                pending[parent, default: []].formUnion(same)
            }
            for index in here { result[paths[index]] = oid(of: graph.number(of: slot)) }
        }
        return result
    }

    /// Adds the paths below `node` that are not the same in both trees; `nil` is a folder that is not there.
    private func addChanges(
        between left: GitOID?, and right: GitOID?, in node: PathTree, to changed: inout Set<Int>
    ) throws(GitStoreError) {
        guard left != right else { return }
        guard let left, let right else {
            node.addAll(to: &changed)
            return
        }
        for change in try changedEntries(between: left, and: right) {
            guard let child = node.children[change.name] else { continue }
            if let path = child.path { changed.insert(path) }
            guard !child.children.isEmpty else { continue }
            try addChanges(between: change.left, and: change.right, in: child, to: &changed)
        }
    }

    /// A name that two trees have different entries for; the trees below it, where an entry is one.
    private struct ChangedEntry {
        let name: [UInt8]
        var left: GitOID?
        var right: GitOID?
    }

    private func changedEntries(between left: GitOID, and right: GitOID) throws(GitStoreError) -> [ChangedEntry] {
        try withTree(left) { (leftBytes) throws(GitStoreError) in
            try withTree(right) { (rightBytes) throws(GitStoreError) in
                var (leftParser, rightParser) = (TreeParser(leftBytes), TreeParser(rightBytes))
                var (leftEntry, rightEntry) = (try leftParser.next(), try rightParser.next())
                var changes: [[UInt8]: ChangedEntry] = [:]
                func add(_ entry: TreeParser.Entry, isLeft: Bool) {
                    let name = Array(entry.name)
                    var change = changes[name] ?? ChangedEntry(name: name)
                    let tree = GitFileMode.isTree(entry.mode) ? entry.oid : nil
                    if isLeft { change.left = tree } else { change.right = tree }
                    changes[name] = change
                }
                while leftEntry != nil || rightEntry != nil {
                    let order = Self.compare(leftEntry, rightEntry)
                    if order == 0, let leftEntry, let rightEntry {
                        if leftEntry.mode != rightEntry.mode || memcmp(leftEntry.oidBytes, rightEntry.oidBytes, 20) != 0 {
                            add(leftEntry, isLeft: true)
                            add(rightEntry, isLeft: false)
                        }
                    } else if order < 0, let leftEntry {
                        add(leftEntry, isLeft: true)
                    } else if let rightEntry {
                        add(rightEntry, isLeft: false)
                    }
                    if order <= 0 { leftEntry = try leftParser.next() }
                    if order >= 0 { rightEntry = try rightParser.next() }
                }
                return Array(changes.values)
            }
        }
    }

    /// Git's order of entries; the one that is there comes before none.
    private static func compare(_ left: TreeParser.Entry?, _ right: TreeParser.Entry?) -> Int {
        guard let left else { return right == nil ? 0 : 1 }
        guard let right else { return -1 }
        let common = min(left.name.count, right.name.count)
        if common > 0, let leftStart = left.name.baseAddress, let rightStart = right.name.baseAddress {
            let order = memcmp(leftStart, rightStart, common)
            if order != 0 { return Int(order) }
        }
        return next(of: left, at: common) - next(of: right, at: common)
    }

    /// The byte after a common start: a folder's name ends as if in `/`.
    private static func next(of entry: TreeParser.Entry, at index: Int) -> Int {
        if index < entry.name.count { return Int(entry.name[index]) }
        return GitFileMode.isTree(entry.mode) ? Int(UInt8(ascii: "/")) : 0
    }
}

/// Paths by their parts.
private final class PathTree {
    /// The place of the path that ends here among those asked for.
    private(set) var path: Int?
    private(set) var children: [[UInt8]: PathTree] = [:]

    private init() {}

    init(_ paths: [String]) {
        for (index, path) in paths.enumerated() {
            var node = self
            for part in path.utf8.split(separator: UInt8(ascii: "/")) {
                let name = Array(part)
                let child = node.children[name] ?? PathTree()
                node.children[name] = child
                node = child
            }
            node.path = index
        }
    }

    func addAll(to paths: inout Set<Int>) {
        if let path { paths.insert(path) }
        for child in children.values { child.addAll(to: &paths) }
    }
}
