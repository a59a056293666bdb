import HubCore

/// One change to a tree, by path: `a/b/file.txt`.
package struct TreeEdit: Sendable, Hashable {
    package enum Change: Sendable, Hashable {
        /// Puts a file there, in place of any file of that path; folders on the way are made.
        case put(mode: UInt32, oid: GitOID)
        /// Takes a file, or a folder with all that is in it, away.
        case remove
    }

    package let path: String
    package let change: Change

    package init(path: String, change: Change) {
        self.path = path
        self.change = change
    }

    package static func put(_ path: String, _ oid: GitOID, mode: UInt32 = GitFileMode.file) -> TreeEdit {
        TreeEdit(path: path, change: .put(mode: mode, oid: oid))
    }

    package static func remove(_ path: String) -> TreeEdit { TreeEdit(path: path, change: .remove) }
}

/// Why a tree cannot be changed as asked.
package enum TreeEditError: Error, Hashable {
    /// No path of a git repository: empty parts, `.`, `..`, a spelling of `.git`, a NUL, or too long.
    case invalidPath(String)
    /// There is nothing at the path to take away.
    case missingPath(String)
    /// Two changes of one path, or a file where another change needs a folder.
    case conflict(String)
}

extension TreeEditError: Refusal {
    package var problem: Problem {
        switch self {
        case .invalidPath(let path):
            Problem(.invalid, code: "invalid_path", "\(path) is not a valid path in a repository.")
        case .missingPath(let path): Problem(.missing, code: "path_not_found", "There is nothing at \(path).")
        case .conflict(let path):
            Problem(.conflict, code: "path_conflict", "\(path) is changed twice, or is a file and a folder at once.")
        }
    }
}

/// Applies edits to a tree, writing the folders that change.
struct TreeEditor {
    private static let maximumPathBytes = 4096
    private static let maximumDepth = 256

    let writer: ObjectWriter

    /// What happens to one name in a folder.
    private indirect enum Node {
        case edit(TreeEdit)
        case folder([[UInt8]: Node])
    }

    /// - Returns: the root tree; a tree without entries when nothing is left.
    func apply(_ edits: [TreeEdit], to base: GitOID?) throws(GitStoreError) -> GitOID {
        var root: [[UInt8]: Node] = [:]
        for edit in edits { try Self.insert(edit, try Self.parts(of: edit.path)[...], into: &root) }
        guard let tree = try apply(root, to: base, path: "") else { return try writer.write(tree: []) }
        return tree
    }

    private static func parts(of path: String) throws(GitStoreError) -> [[UInt8]] {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Array($0) }
        guard path.utf8.count <= maximumPathBytes, parts.count <= maximumDepth, parts.allSatisfy(isValid) else {
            throw .treeEdit(.invalidPath(path))
        }
        return parts
    }

    private static func isValid(_ name: [UInt8]) -> Bool {
        guard !name.isEmpty, !name.contains(0), !name.elementsEqual(".".utf8), !name.elementsEqual("..".utf8) else {
            return false
        }
        return !name.withUnsafeBytes { DotGitNames.isDotGit($0) }
    }

    private static func insert(
        _ edit: TreeEdit, _ parts: ArraySlice<[UInt8]>, into folder: inout [[UInt8]: Node]
    ) throws(GitStoreError) {
        guard let name = parts.first else { return }
        if parts.count == 1 {
            guard folder.updateValue(.edit(edit), forKey: name) == nil else { throw .treeEdit(.conflict(edit.path)) }
            return
        }
        var inner: [[UInt8]: Node] = [:]
        switch folder[name] {
        case .folder(let nodes): inner = nodes
        case .edit: throw .treeEdit(.conflict(edit.path))
        case nil: break
        }
        // Taken out while it changes, so that it is changed in place.
        folder[name] = nil
        try insert(edit, parts.dropFirst(), into: &inner)
        folder[name] = .folder(inner)
    }

    /// - Returns: `nil` when the folder has no entries left.
    private func apply(_ nodes: [[UInt8]: Node], to base: GitOID?, path: String) throws(GitStoreError) -> GitOID? {
        var entries: [[UInt8]: GitTreeEntry] = [:]
        if let base {
            for entry in try writer.entries(of: base) { entries[entry.name] = entry }
        }
        for (name, node) in nodes {
            let entryPath = path + (path.isEmpty ? "" : "/") + String(decoding: name, as: UTF8.self)
            switch node {
            case .edit(let edit): entries[name] = try apply(edit, to: entries[name])
            case .folder(let inner):
                let present = entries[name]
                if let present, !present.isTree { throw .treeEdit(.conflict(entryPath)) }
                let oid = try apply(inner, to: present?.oid, path: entryPath)
                entries[name] = oid.map { GitTreeEntry(mode: GitFileMode.tree, name: name, oid: $0) }
            }
        }
        return entries.isEmpty ? nil : try writer.write(tree: Array(entries.values))
    }

    private func apply(_ edit: TreeEdit, to present: GitTreeEntry?) throws(GitStoreError) -> GitTreeEntry? {
        switch edit.change {
        case .put(let mode, let oid):
            if let present, present.isTree { throw .treeEdit(.conflict(edit.path)) }
            let name = edit.path.utf8.split(separator: UInt8(ascii: "/")).last.map { Array($0) } ?? []
            return GitTreeEntry(mode: mode, name: name, oid: oid)
        case .remove:
            guard present != nil else { throw .treeEdit(.missingPath(edit.path)) }
            return nil
        }
    }
}
