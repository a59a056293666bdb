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
    package let reference: ReferenceName
    /// The commit before it; `nil` for the first.
    package let parent: GitOID?
    /// False when the branch had all of it already, as when a client repeats a commit whose answer was lost.
    package let isNew: Bool

    package var branch: String { reference.shortName }
}

extension GitService {
    /// Begins a commit on top of `branch`; nothing is visible before `CommitDraft.commit`.
    ///
    /// - Parameter expectedParent: what the caller last saw there; another value throws `.headMoved`.
    package func beginCommit(
        to repository: Repository, branch: String, expectedParent: GitOID? = nil, by caller: Caller
    ) async throws -> CommitDraft {
        guard let name = ReferenceName.newBranch(branch) else { throw RepositoryError.invalidBranch(branch) }
        return try await beginCommit(to: repository, reference: name, expectedParent: expectedParent, by: caller)
    }

    /// The same for any ref, as that of a pull request.
    package func beginCommit(
        to repository: Repository, reference: ReferenceName, expectedParent: GitOID? = nil, by caller: Caller
    ) async throws -> CommitDraft {
        let snapshot = try await snapshot(of: repository)
        let head = snapshot.state.reference(reference)?.oid
        if let expectedParent, expectedParent != head {
            // It may be a repetition of the commit that is the head now; whether it is shows at its end.
            guard let head, try await commit(head, in: snapshot).parents == [expectedParent] else {
                throw RepositoryError.headMoved(branch: reference.shortName)
            }
        }
        let writer = try await threads.run { [git, receiveLimits] in
            SharedWriter(try git.makeWriter(for: repository.uid, existing: snapshot.objects, limits: receiveLimits))
        }
        return CommitDraft(
            git: self, repository: repository, reference: reference, expectedParent: expectedParent, writer: writer,
            caller: caller)
    }

    func commit(_ oid: GitOID, in snapshot: GitSnapshot) async throws -> GitCommit {
        try await threads.run { try snapshot.objects.commit(oid) }
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

/// A file of a commit that arrives in pieces; waits on disk until all of it is there.
package struct DraftFile: Sendable {
    fileprivate let spool: BlobSpool
    fileprivate let threads: GitThreads

    package func append(_ bytes: [UInt8]) async throws {
        try await threads.run { [spool] in try spool.append(bytes) }
    }
}

/// A commit being put together: its files go to quarantine as they come, so that memory does not grow with them.
package actor CommitDraft {
    /// A file larger than this must be an LFS object, or come as a `DraftFile`.
    package static let maximumInlineBytes = 32 << 20
    /// How often a commit is made anew when something else moved the branch meanwhile.
    private static let attempts = 4

    private let git: GitService
    private let repository: Repository
    private let reference: ReferenceName
    private let expectedParent: GitOID?
    private let writer: SharedWriter
    private let caller: Caller
    private var edits = EditSequence()
    private var pointers: [String: LFSPointer] = [:]

    init(
        git: GitService, repository: Repository, reference: ReferenceName, expectedParent: GitOID?, writer: SharedWriter,
        caller: Caller
    ) {
        self.git = git
        self.repository = repository
        self.reference = reference
        self.expectedParent = expectedParent
        self.writer = writer
        self.caller = caller
    }

    /// How many changes it has so far.
    package var changeCount: Int { edits.count }

    /// Adds or replaces a file with these bytes.
    package func add(_ path: String, content: [UInt8], isExecutable: Bool = false) async throws {
        guard content.count <= Self.maximumInlineBytes else {
            throw RepositoryError.fileTooLarge(path: path, limit: Self.maximumInlineBytes)
        }
        try checkPath(path)
        let oid = try await git.threads.run { [writer] in try writer.use { try $0.write(blob: content) } }
        put(path, oid, isExecutable: isExecutable)
    }

    /// A file of unknown size, to be filled and then added.
    package func makeFile() async throws -> DraftFile {
        let spool = try await git.threads.run { [writer] in try writer.use { try $0.makeFile() } }
        return DraftFile(spool: spool, threads: git.threads)
    }

    /// Adds or replaces a file with what was written to `file`.
    package func add(_ path: String, file: DraftFile) async throws {
        try checkPath(path)
        let oid = try await git.threads.run { [writer] in
            try writer.use { try $0.write(file.spool) }
        }
        put(path, oid, isExecutable: false)
    }

    /// Adds or replaces a file that stands for a large object; the repository must have the object when the commit is made.
    package func add(_ path: String, pointer: LFSPointer) async throws {
        try await add(path, content: Array(pointer.text.utf8))
        pointers[path] = pointer
    }

    /// Adds or replaces a file with a blob that the repository has.
    package func add(_ path: String, blob: GitOID) throws {
        try checkPath(path)
        put(path, blob, isExecutable: false)
    }

    /// Removes a file, or a folder with all that is in it.
    package func delete(_ path: String) throws {
        try checkPath(path)
        edits.append(.remove(path))
        pointers[path] = nil
    }

    private func put(_ path: String, _ oid: GitOID, isExecutable: Bool) {
        edits.append(.put(path, oid, mode: isExecutable ? GitFileMode.executable : GitFileMode.file))
        pointers[path] = nil
    }

    // MARK: The commit

    /// Makes the commit and moves the branch to it.
    ///
    /// Where the caller expects no parent, commits to one branch are made one after the other and all succeed.
    ///
    /// - Parameters:
    ///   - acceptsUnchanged: A commit that would change nothing is answered by the head; else `.nothingToCommit` is thrown.
    ///   - target: Another ref to move, which must point to where the draft's own does.
    package func commit(
        message: String, author: CommitAuthor, at date: Date = Date(), acceptsUnchanged: Bool = false,
        target: ReferenceName? = nil
    ) async throws -> CommitResult {
        try await checkPointers()
        let signature = GitSignature(name: author.name, email: author.email, time: Int64(date.timeIntervalSince1970))
        let plan = CommitPlan(
            edits: edits.batches, expectedParent: expectedParent, signature: signature, message: message,
            reference: target ?? reference)
        return try await git.commitTurns.run("\(repository.id) \(plan.reference)") {
            for _ in 0..<Self.attempts {
                if let result = try await attempt(plan, acceptsUnchanged: acceptsUnchanged) { return result }
            }
            throw RepositoryError.headMoved(branch: plan.reference.shortName)
        }
    }

    /// - Returns: `nil` when the branch moved while the commit was made.
    private func attempt(_ plan: CommitPlan, acceptsUnchanged: Bool) async throws -> CommitResult? {
        let snapshot = try await git.snapshot(of: repository)
        let head = snapshot.state.reference(plan.reference)?.oid
        let made = try await git.threads.run { [writer] in try writer.use { try plan.make(onto: head, in: snapshot, with: $0) } }
        guard let (commit, pack) = made else {
            guard let head, acceptsUnchanged else { throw RepositoryError.nothingToCommit }
            return CommitResult(oid: head, reference: plan.reference, parent: nil, isNew: false)
        }
        try await checkPointers(in: pack)
        let report = try await git.push(
            [PushCommand(name: plan.reference.text, old: head, new: commit)], pack: pack, snapshot: snapshot, isAtomic: true,
            by: caller)
        guard case .updated = report.outcomes.first else { return nil }
        return CommitResult(oid: commit, reference: plan.reference, parent: head, isNew: true)
    }

    /// What the caller named as large objects must be in the repository: knowing a hash is no right to its content.
    private func checkPointers() async throws {
        let present = try await git.store.linkedObjects(among: pointers.values.map(\.oid), in: repository.id)
        if let missing = pointers.first(where: { present[$0.value.oid] != $0.value.sizeBytes }) {
            throw RepositoryError.missingObject(path: missing.key, oid: missing.value.oid)
        }
    }

    /// The same for files whose content is a pointer.
    private func checkPointers(in pack: ReceivedPack) async throws {
        let oids = Array(Set(pack.pointers.map(\.pointer.oid)))
        guard !oids.isEmpty else { return }
        let present = try await git.store.linkedObjects(among: oids, in: repository.id)
        guard let missing = pack.pointers.first(where: { present[$0.pointer.oid] != $0.pointer.sizeBytes }) else { return }
        let paths = try await git.threads.run { pack.paths(of: [missing.blob], limit: 1) }
        throw RepositoryError.missingObject(path: paths[missing.blob] ?? "a file", oid: missing.pointer.oid)
    }

    private func checkPath(_ path: String) throws(RepositoryError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let isValid = path.utf8.count <= 4096 && parts.count <= 256 && parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".." && part.lowercased() != ".git" && !Self.escapesOnWindows(part)
                && part.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } && part.utf8.count <= 255
        }
        guard isValid else { throw .invalidPath(path) }
    }

    /// `..\\x`, which is no name but a way out of the folder where the file is downloaded to.
    private static func escapesOnWindows(_ part: Substring) -> Bool {
        part.contains("\\") && part.split(separator: "\\", omittingEmptySubsequences: false).contains("..")
    }
}
