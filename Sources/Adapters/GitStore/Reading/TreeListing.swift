import HubCore

/// An entry of a tree with its path from the top.
package struct ListedEntry: Hashable, Sendable {
    /// As git stores it; UTF-8 by custom only.
    package let path: [UInt8]
    package let mode: UInt32
    package let oid: GitOID

    package init(path: [UInt8], mode: UInt32, oid: GitOID) {
        self.path = path
        self.mode = mode
        self.oid = oid
    }

    package var isTree: Bool { GitFileMode.isTree(mode) }
    package var isGitlink: Bool { GitFileMode.isGitlink(mode) }
    package var name: String { String(decoding: path, as: UTF8.self) }
}

/// Lists what is in a tree, page by page, in git's order: a folder comes before what is in it.
package struct TreeListing: Sendable {
    /// Deeper folders are listed, but not what is in them.
    private static let maximumDepth = 512

    private let objects: GitObjects
    private let root: GitOID
    private let folder: [UInt8]
    private let isRecursive: Bool

    /// - Parameters:
    ///   - tree: The tree to list.
    ///   - folder: Its path, which the paths of its entries begin with; empty for the top.
    package init(_ objects: GitObjects, tree: GitOID, folder: [UInt8] = [], isRecursive: Bool) {
        self.objects = objects
        root = tree
        self.folder = folder
        self.isRecursive = isRecursive
    }

    /// A folder on the way down, and which of its entries comes next.
    private struct Level {
        let path: [UInt8]
        let entries: [GitTreeEntry]
        var next = 0
    }

    /// At most `limit` entries that come after the path `last`, and whether there are more.
    ///
    /// - Throws: `.treeEdit(.missingPath)` when nothing is at `last`.
    package func page(
        after last: [UInt8]? = nil, limit: Int
    ) throws(GitStoreError) -> (entries: [ListedEntry], hasMore: Bool) {
        var levels = try levels(after: last)
        var found: [ListedEntry] = []
        while var level = levels.popLast() {
            guard level.next < level.entries.count else { continue }
            let entry = level.entries[level.next]
            level.next += 1
            let path = level.path.isEmpty ? entry.name : level.path + [UInt8(ascii: "/")] + entry.name
            levels.append(level)
            if found.count == limit { return (found, true) }
            found.append(ListedEntry(path: path, mode: entry.mode, oid: entry.oid))
            if isRecursive, entry.isTree, levels.count < Self.maximumDepth {
                levels.append(Level(path: path, entries: try objects.tree(entry.oid)))
            }
        }
        return (found, false)
    }

    /// The folders that are open when `last` has been listed.
    private func levels(after last: [UInt8]?) throws(GitStoreError) -> [Level] {
        var levels = [Level(path: folder, entries: try objects.tree(root))]
        guard let last else { return levels }
        let inside = folder.isEmpty ? last[...] : last.dropFirst(folder.count + 1)
        for name in inside.split(separator: UInt8(ascii: "/")) {
            let level = levels[levels.count - 1]
            let isOpen = levels.count == 1 || isRecursive
            guard isOpen, let place = level.entries.firstIndex(where: { $0.name.elementsEqual(name) }) else {
                throw .treeEdit(.missingPath(String(decoding: last, as: UTF8.self)))
            }
            levels[levels.count - 1].next = place + 1
            let entry = level.entries[place]
            let path = level.path.isEmpty ? entry.name : level.path + [UInt8(ascii: "/")] + entry.name
            levels.append(
                Level(path: path, entries: isRecursive && entry.isTree ? try objects.tree(entry.oid) : []))
        }
        return levels
    }
}
