import FoundationEssentials
import GitStore
import HubCore
import Identity
import MetadataStore
import Synchronization

/// Who a commit is by.
package struct CommitAuthor: Hashable, Sendable {
    package let name: String
    package let email: String

    package init(name: String, email: String) {
        self.name = name
        self.email = email
    }

    /// The account that is signed in; `noreply@localhost` where it has no address.
    package init(_ principal: Principal) {
        name = principal.account?.fullName ?? principal.account?.name.text ?? "Administrator"
        email = principal.account?.email ?? "noreply@localhost"
    }
}

/// What a server-side commit became.
package struct CommitResult: Hashable, Sendable {
    package let oid: GitOID
    package let branch: String
    /// The commit before it on the branch; `nil` for the first.
    package let parent: GitOID?
}

extension GitService {
    /// Begins a commit on top of `branch`; nothing is visible before `CommitDraft.commit`.
    ///
    /// - Parameter expectedParent: what the caller last saw there; another value throws `.headMoved`.
    package func beginCommit(
        to repository: Repository, branch: String, expectedParent: GitOID? = nil, by caller: Caller
    ) async throws -> CommitDraft {
        guard let name = ReferenceName.newBranch(branch) else { throw RepositoryError.invalidBranch(branch) }
        let snapshot = try await snapshot(of: repository)
        let parent = snapshot.state.reference(name)?.oid
        if let expectedParent, expectedParent != parent { throw RepositoryError.headMoved(branch: branch) }
        let writer = try await threads.run { [git, receiveLimits] in
            SharedWriter(try git.makeWriter(for: repository.uid, existing: snapshot.objects, limits: receiveLimits))
        }
        return CommitDraft(git: self, snapshot: snapshot, branch: name, parent: parent, writer: writer, caller: caller)
    }
}

/// A writer that one thread at a time may use.
final class SharedWriter: Sendable {
    private let writer: Mutex<ObjectWriter>

    init(_ writer: sending ObjectWriter) { self.writer = Mutex(writer) }

    func use<Value: Sendable>(_ body: (ObjectWriter) throws -> Value) throws -> Value {
        try writer.withLock { try body($0) }
    }
}

/// A commit being put together: its files go to quarantine as they come, so that memory does not grow with them.
package actor CommitDraft {
    /// A file larger than this must be an LFS object.
    package static let maximumInlineBytes = 32 << 20

    private let git: GitService
    private let snapshot: GitSnapshot
    private let branch: ReferenceName
    private let parent: GitOID?
    private let writer: SharedWriter
    private let caller: Caller
    private var edits: [TreeEdit] = []
    private var pointers: [String: LFSPointer] = [:]

    init(
        git: GitService, snapshot: GitSnapshot, branch: ReferenceName, parent: GitOID?, writer: SharedWriter, caller: Caller
    ) {
        self.git = git
        self.snapshot = snapshot
        self.branch = branch
        self.parent = parent
        self.writer = writer
        self.caller = caller
    }

    /// Adds or replaces a file with these bytes.
    package func add(_ path: String, content: [UInt8], isExecutable: Bool = false) async throws {
        guard content.count <= Self.maximumInlineBytes else {
            throw RepositoryError.fileTooLarge(path: path, limit: Self.maximumInlineBytes)
        }
        try checkPath(path)
        let oid = try await git.threads.run { [writer] in try writer.use { try $0.write(blob: content) } }
        edits.append(.put(path, oid, mode: isExecutable ? GitFileMode.executable : GitFileMode.file))
    }

    /// Adds or replaces a file that stands for a large object; the repository must have the object when the commit is made.
    package func add(_ path: String, pointer: LFSPointer) async throws {
        try await add(path, content: Array(pointer.text.utf8))
        pointers[path] = pointer
    }

    /// Removes a file, or a folder with all that is in it.
    package func delete(_ path: String) throws {
        try checkPath(path)
        edits.append(.remove(path))
    }

    /// Makes the commit and moves the branch to it, if the branch is still where it was.
    package func commit(message: String, author: CommitAuthor, at date: Date = Date()) async throws -> CommitResult {
        let present = try await git.store.linkedObjects(among: pointers.values.map(\.oid), in: snapshot.repository.id)
        if let missing = pointers.first(where: { present[$0.value.oid] != $0.value.sizeBytes }) {
            throw RepositoryError.missingObject(path: missing.key, oid: missing.value.oid)
        }
        let signature = GitSignature(name: author.name, email: author.email, time: Int64(date.timeIntervalSince1970))
        let (commit, pack) = try await git.threads.run { [writer, edits, parent, snapshot] in
            try writer.use { writer in
                let base = try parent.map { try snapshot.objects.commit($0).tree }
                let tree = try writer.write(edits: edits, onto: base)
                guard tree != base else { throw RepositoryError.nothingToCommit }
                let commit = try writer.write(
                    commit: NewCommit(tree: tree, parents: parent.map { [$0] } ?? [], author: signature, message: message))
                return (commit, try writer.finish(tips: [commit]))
            }
        }
        let report = try await git.push(
            [PushCommand(name: branch.text, old: parent, new: commit)], pack: pack, snapshot: snapshot, isAtomic: true, by: caller)
        guard case .updated = report.outcomes.first else { throw RepositoryError.headMoved(branch: branch.shortName) }
        return CommitResult(oid: commit, branch: branch.shortName, parent: parent)
    }

    private func checkPath(_ path: String) throws(RepositoryError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let isValid = path.utf8.count <= 4096 && parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".." && part.lowercased() != ".git"
                && part.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } && part.utf8.count <= 255
        }
        guard isValid else { throw .invalidPath(path) }
    }
}
