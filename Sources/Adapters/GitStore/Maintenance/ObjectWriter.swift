import HubCore

/// Makes objects on the server, for commits that do not come by push, and gathers them into one pack.
///
///     let writer = try store.makeWriter(for: uid, existing: objects)
///     let blob = try writer.write(blob: bytes)
///     let tree = try writer.write(edits: [.put("models/config.json", blob)], onto: headTree)
///     let commit = try writer.write(commit: …)
///     let pack = try writer.finish(tips: [commit])        // then publish and move the ref, as after a push
///
/// What it makes passes the same checks as what is pushed. An object that the repository has, or that was written
/// before, is not stored again. Its calls block; used by one thread at a time.
package final class ObjectWriter {
    private let store: GitStore
    private let repository: RepositoryUID
    private let folder: QuarantineFolder
    private let spool: OutputFile
    private var existing: GitObjects
    private let limits: ReceiveLimits
    private let deflater = Deflater()
    private var written: Set<GitOID> = []
    /// Trees made here, as later ones may build on them.
    private var trees: [GitOID: [GitTreeEntry]] = [:]

    init(
        store: GitStore, repository: RepositoryUID, existing: GitObjects, limits: ReceiveLimits
    ) throws(GitStoreError) {
        self.store = store
        self.repository = repository
        self.existing = existing
        self.limits = limits
        folder = try QuarantineFolder(in: store.staging)
        spool = try OutputFile(creating: folder.path + "/entries")
    }

    // MARK: Objects

    /// Stores a file that is in memory.
    @discardableResult
    package func write(blob bytes: [UInt8]) throws(GitStoreError) -> GitOID {
        try write(.blob, bytes)
    }

    /// Stores a file of any size, read piece by piece.
    ///
    /// - Parameter read: Fills the buffer from its start and answers how many bytes came; 0 is the end.
    @discardableResult
    package func write(
        blobOfSize sizeBytes: Int64, read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> GitOID {
        guard sizeBytes <= limits.maximumBlobBytes else {
            throw GitStoreError.refused(
                .overLimit(
                    "a file stored in git is larger than \(limits.maximumBlobBytes) bytes; track it with Git LFS"))
        }
        let start = spool.sizeBytes
        let hash = ObjectHashStream(.blob, sizeBytes: Int(sizeBytes))
        let stream = DeflateStream()
        var output: [UInt8] = []
        PackEntryHeader.encode(.blob, sizeBytes: Int(sizeBytes), into: &output)
        let piece = ObjectBuffer(count: 256 << 10)
        var done: Int64 = 0
        while done < sizeBytes {
            let count = try read(piece.mutableBytes)
            guard count > 0 else { throw GitStoreError.malformed("a file is shorter than was said") }
            let bytes = UnsafeRawBufferPointer(rebasing: piece.bytes.prefix(count))
            try hash.append(bytes)
            stream.append(bytes, isLast: false, to: &output)
            done += Int64(count)
            try spool.append(output)
            output.removeAll(keepingCapacity: true)
        }
        stream.append(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true, to: &output)
        try spool.append(output)
        let oid = try hash.finish()
        if existing.contains(oid) || !written.insert(oid).inserted { try spool.truncate(to: start) }
        return oid
    }

    /// A file whose size is known when all of it has come; at most `ReceiveLimits.maximumBlobBytes`.
    package func makeFile() throws(GitStoreError) -> BlobSpool {
        try BlobSpool(
            path: "\(folder.path)/file-\(RepositoryUID())", maximumBytes: limits.maximumBlobBytes)
    }

    /// Stores such a file.
    @discardableResult
    package func write(_ file: BlobSpool) throws -> GitOID {
        var offset: Int64 = 0
        return try write(blobOfSize: file.sizeBytes) { buffer in
            let count = try file.read(at: offset, into: buffer)
            offset += Int64(count)
            return count
        }
    }

    /// Stores a folder; the entries come in any order.
    @discardableResult
    package func write(tree entries: [GitTreeEntry]) throws(GitStoreError) -> GitOID {
        let sorted = entries.sorted(by: TreeParser.precedes)
        let oid = try write(.tree, TreeParser.encode(sorted))
        trees[oid] = sorted
        return oid
    }

    /// Stores the tree that comes of changing another one.
    ///
    /// - Parameter base: `nil` for the empty tree.
    /// - Returns: the new tree; the base when nothing changes.
    @discardableResult
    package func write(edits: [TreeEdit], onto base: GitOID?) throws(GitStoreError) -> GitOID {
        try TreeEditor(writer: self).apply(edits, to: base)
    }

    @discardableResult
    package func write(commit: NewCommit) throws(GitStoreError) -> GitOID {
        try write(.commit, commit.encoded)
    }

    /// Stores a commit again with another tree and other parents: author, committer and message stay to the byte, other headers
    /// (a signature, which would be wrong now) go.
    @discardableResult
    package func write(_ commit: GitCommit, tree: GitOID, parents: [GitOID]) throws(GitStoreError) -> GitOID {
        var bytes = Array("tree \(tree)\n".utf8)
        for parent in parents { bytes += Array("parent \(parent)\n".utf8) }
        bytes += Array("author ".utf8) + commit.author + Array("\ncommitter ".utf8) + commit.committer
        return try write(.commit, bytes + Array("\n\n".utf8) + commit.message)
    }

    /// Stores an annotated tag again with another target; a signature in its message is left as text.
    @discardableResult
    package func write(_ tag: GitTag, target: GitOID) throws(GitStoreError) -> GitOID {
        var bytes = Array("object \(target)\ntype \(tag.targetType.name)\ntag ".utf8) + tag.name
        if let tagger = tag.tagger { bytes += Array("\ntagger ".utf8) + tagger }
        return try write(.tag, bytes + Array("\n\n".utf8) + tag.message)
    }

    /// Stores an annotated tag.
    @discardableResult
    package func write(tag: NewTag) throws(GitStoreError) -> GitOID {
        try write(.tag, tag.encoded)
    }

    private func write(_ type: GitObjectType, _ bytes: [UInt8]) throws(GitStoreError) -> GitOID {
        let oid = try ObjectHasher.name(of: type, bytes)
        guard !existing.contains(oid), written.insert(oid).inserted else { return oid }
        var entry: [UInt8] = []
        PackEntryHeader.encode(PackEntryKind(type), sizeBytes: bytes.count, into: &entry)
        bytes.withUnsafeBytes { deflater.deflate($0, appendingTo: &entry) }
        try spool.append(entry)
        return oid
    }

    /// The entries of a tree made here or stored.
    func entries(of tree: GitOID) throws(GitStoreError) -> [GitTreeEntry] {
        if let entries = trees[tree] { return entries }
        return try existing.tree(tree)
    }

    // MARK: Starting over

    /// What was written up to some moment.
    package struct Mark {
        fileprivate let spoolBytes: Int64
        fileprivate let written: Set<GitOID>
        fileprivate let trees: [GitOID: [GitTreeEntry]]
    }

    /// To come back to with `rewind`.
    package var mark: Mark { Mark(spoolBytes: spool.sizeBytes, written: written, trees: trees) }

    /// Forgets what was written after `mark`, and goes on with the objects that the repository has now.
    package func rewind(to mark: Mark, existing: GitObjects) throws(GitStoreError) {
        try spool.truncate(to: mark.spoolBytes)
        written = mark.written
        trees = mark.trees
        self.existing = existing
    }

    // MARK: The pack

    /// Checks what was written and makes it ready to be published.
    ///
    /// - Parameter tips: The new values of refs.
    package func finish(tips: [GitOID]) throws(GitStoreError) -> ReceivedPack {
        let receiver = try store.makeReceiver(for: repository, existing: existing, limits: limits)
        var hash = SHA1()
        try append(PackHeader.bytes(objectCount: written.count), &hash, to: receiver)
        var failure: GitStoreError?
        try spool.read(upTo: spool.sizeBytes) { bytes in
            guard failure == nil else { return }
            hash.update(bytes)
            do throws(GitStoreError) { try receiver.append(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        let checksum = hash.finish()
        try withBytes(of: checksum.bytes) { (bytes) throws(GitStoreError) in try receiver.append(bytes) }
        return try receiver.finish(tips: tips) { _ in }
    }

    private func append(_ bytes: [UInt8], _ hash: inout SHA1, to receiver: PackReceiver) throws(GitStoreError) {
        hash.update(bytes)
        try withBytes(of: bytes) { (buffer) throws(GitStoreError) in try receiver.append(buffer) }
    }
}

extension GitStore {
    /// Makes ready for objects that the server itself makes.
    package func makeWriter(
        for uid: RepositoryUID, existing: GitObjects, limits: ReceiveLimits = ReceiveLimits()
    ) throws(GitStoreError) -> ObjectWriter {
        try ObjectWriter(store: self, repository: uid, existing: existing, limits: limits)
    }
}
