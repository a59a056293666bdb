import HubCore

/// A file that is not the same in two trees.
package struct TreeChange: Hashable, Sendable {
    package let path: String
    /// `nil` when it was added.
    package let old: GitTreeEntry?
    /// `nil` when it was removed.
    package let new: GitTreeEntry?
}

extension GitObjects {
    /// The files that differ between two trees, in the order of their paths; folders only by what is in them.
    ///
    /// - Parameters:
    ///   - old: `nil` is the empty tree; the same for `new`.
    ///   - limit: no more are looked for.
    package func changes(from old: GitOID?, to new: GitOID?, limit: Int) throws(GitStoreError) -> [TreeChange] {
        var changes: [TreeChange] = []
        try compare(old, new, path: "", depth: 0, limit: limit, into: &changes)
        return changes
    }

    static let maximumTreeDepth = 512

    private func compare(
        _ old: GitOID?, _ new: GitOID?, path: String, depth: Int, limit: Int, into changes: inout [TreeChange]
    ) throws(GitStoreError) {
        guard old != new else { return }
        guard depth < Self.maximumTreeDepth else { throw .refused(.overLimit("folders are nested too deeply")) }
        let left = try entriesByName(old)
        let right = try entriesByName(new)
        for name in Set(left.keys).union(right.keys).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard changes.count < limit else { return }
            let (before, after) = (left[name], right[name])
            guard before != after else { continue }
            let full = path + String(decoding: name, as: UTF8.self)
            let folders = (before.flatMap { $0.isTree ? $0.oid : nil }, after.flatMap { $0.isTree ? $0.oid : nil })
            let files = (before.flatMap { $0.isTree ? nil : $0 }, after.flatMap { $0.isTree ? nil : $0 })
            if files.0 != nil || files.1 != nil {
                changes.append(TreeChange(path: full, old: files.0, new: files.1))
            }
            try compare(folders.0, folders.1, path: full + "/", depth: depth + 1, limit: limit, into: &changes)
        }
    }

    func entriesByName(_ tree: GitOID?) throws(GitStoreError) -> [[UInt8]: GitTreeEntry] {
        guard let tree else { return [:] }
        var entries: [[UInt8]: GitTreeEntry] = [:]
        for entry in try self.tree(tree) { entries[entry.name] = entry }
        return entries
    }
}
