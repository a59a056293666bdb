import GitStore
import HubCore

/// Changes of files in the order in which they were asked for.
///
/// A batch holds changes that do not touch one another, which is all that a tree takes at once. A change of a path that an earlier
/// one changed, or that lies above or below it, begins another batch.
struct EditSequence: Sendable {
    private(set) var batches: [[TreeEdit]] = []
    private(set) var count = 0
    private var changed: Set<String> = []
    private var foldersOfChanged: Set<String> = []

    mutating func append(_ edit: TreeEdit) {
        let folders = Self.folders(of: edit.path)
        if batches.isEmpty || changed.contains(edit.path) || foldersOfChanged.contains(edit.path)
            || folders.contains(where: changed.contains)
        {
            batches.append([])
            changed = []
            foldersOfChanged = []
        }
        batches[batches.count - 1].append(edit)
        count += 1
        changed.insert(edit.path)
        foldersOfChanged.formUnion(folders)
    }

    /// `a` and `a/b` of `a/b/c`.
    private static func folders(of path: String) -> [String] {
        path.utf8.indices.filter { path.utf8[$0] == UInt8(ascii: "/") }.map { String(path[..<$0]) }
    }
}

/// All that a commit needs but the branch to put it on.
struct CommitPlan: Sendable {
    let edits: [[TreeEdit]]
    let expectedParent: GitOID?
    let signature: GitSignature
    let message: String
    let reference: ReferenceName

    /// Makes the commit on top of `head`; blocking. What an earlier attempt made is dropped.
    ///
    /// - Returns: `nil` when `head` has all of it already.
    func make(
        onto head: GitOID?, in snapshot: GitSnapshot, with writer: ObjectWriter
    ) throws -> (commit: GitOID, pack: ReceivedPack)? {
        let headCommit = try head.map { try snapshot.objects.commit($0) }
        let mark = writer.mark
        try writer.rewind(to: mark, existing: snapshot.objects)
        if let expectedParent, expectedParent != head {
            guard let headCommit, try isRepeated(by: headCommit, in: snapshot, with: writer) else {
                throw RepositoryError.headMoved(branch: reference.shortName)
            }
            return nil
        }
        do {
            let tree = try tree(onto: headCommit?.tree, with: writer)
            guard tree != headCommit?.tree else { return nil }
            let commit = try writer.write(
                commit: NewCommit(tree: tree, parents: head.map { [$0] } ?? [], author: signature, message: message))
            let pack = try writer.finish(tips: [commit])
            try writer.rewind(to: mark, existing: snapshot.objects)
            return (commit, pack)
        } catch {
            try writer.rewind(to: mark, existing: snapshot.objects)
            throw error
        }
    }

    /// Whether the head is what this commit would have become on the parent that it expects.
    private func isRepeated(by head: GitCommit, in snapshot: GitSnapshot, with writer: ObjectWriter) throws -> Bool {
        guard let expectedParent, head.parents == [expectedParent] else { return false }
        let parent = try snapshot.objects.commit(expectedParent)
        return try tree(onto: parent.tree, with: writer) == head.tree
    }

    private func tree(onto base: GitOID?, with writer: ObjectWriter) throws -> GitOID {
        var tree = base
        for batch in edits { tree = try writer.write(edits: batch, onto: tree) }
        return try tree ?? writer.write(tree: [])
    }
}
