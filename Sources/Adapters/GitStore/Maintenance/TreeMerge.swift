import HubCore

/// What becomes of two trees that come from one: a file that one side changed is as that side has it, a file that both changed in
/// different ways is a conflict. Content is not merged line by line, and a pointer of a large object is a file like any other.
package struct TreeMerge: Sendable {
    /// More are not told.
    package static let maximumConflicts = 1000

    /// The merged tree; `nil` when there are conflicts, or when it was only looked for them.
    package let tree: GitOID?
    /// The paths of files that both sides changed.
    package let conflicts: [String]
}

extension GitObjects {
    /// Looks for conflicts without making anything.
    ///
    /// - Parameters:
    ///   - base: the tree that both come from; `nil` for none.
    package func mergeConflicts(base: GitOID?, ours: GitOID, theirs: GitOID) throws(GitStoreError) -> [String] {
        var merger = TreeMerger(objects: self, writer: nil)
        _ = try merger.merge(base, ours, theirs, path: "", depth: 0)
        return merger.conflicts
    }
}

extension ObjectWriter {
    /// Writes the merged tree, unless there are conflicts.
    package func write(
        mergeOf ours: GitOID, and theirs: GitOID, base: GitOID?, in objects: GitObjects
    ) throws(GitStoreError) -> TreeMerge {
        var merger = TreeMerger(objects: objects, writer: self)
        let tree = try merger.merge(base, ours, theirs, path: "", depth: 0)
        guard merger.conflicts.isEmpty else { return TreeMerge(tree: nil, conflicts: merger.conflicts) }
        if let tree { return TreeMerge(tree: tree, conflicts: []) }
        return TreeMerge(tree: try write(tree: []), conflicts: [])
    }
}

private struct TreeMerger {
    let objects: GitObjects
    let writer: ObjectWriter?
    var conflicts: [String] = []

    /// - Returns: `nil` for a tree without entries, or when nothing is written.
    mutating func merge(
        _ base: GitOID?, _ ours: GitOID?, _ theirs: GitOID?, path: String, depth: Int
    ) throws(GitStoreError) -> GitOID? {
        if ours == theirs || base == theirs { return ours }
        if base == ours { return theirs }
        guard depth < GitObjects.maximumTreeDepth else { throw .refused(.overLimit("folders are nested too deeply")) }
        let before = try objects.entriesByName(base)
        let left = try objects.entriesByName(ours)
        let right = try objects.entriesByName(theirs)
        var merged: [GitTreeEntry] = []
        for name in Set(left.keys).union(right.keys).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let full = path + String(decoding: name, as: UTF8.self)
            if let entry = try merge(before[name], left[name], right[name], named: name, path: full, depth: depth) {
                merged.append(entry)
            }
        }
        guard let writer, conflicts.isEmpty, !merged.isEmpty else { return nil }
        return try writer.write(tree: merged)
    }

    private mutating func merge(
        _ base: GitTreeEntry?, _ ours: GitTreeEntry?, _ theirs: GitTreeEntry?, named name: [UInt8], path: String, depth: Int
    ) throws(GitStoreError) -> GitTreeEntry? {
        if ours == theirs || base == theirs { return ours }
        if base == ours { return theirs }
        // Folders that both sides changed are merged by what is in them; a side that has no folder there has none of its files.
        let isFolder = { (entry: GitTreeEntry?) in entry?.isTree ?? true }
        if isFolder(ours), isFolder(theirs), isFolder(base) {
            let tree = try merge(base?.oid, ours?.oid, theirs?.oid, path: path + "/", depth: depth + 1)
            return tree.map { GitTreeEntry(mode: GitFileMode.tree, name: name, oid: $0) }
        }
        if conflicts.count < TreeMerge.maximumConflicts { conflicts.append(path) }
        return nil
    }
}
