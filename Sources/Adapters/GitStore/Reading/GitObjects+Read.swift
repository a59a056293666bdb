import HubCore

extension GitObjects {
    /// Type and size of an object, without reading it; `nil` when it is not here.
    package func header(of oid: GitOID) throws(GitStoreError) -> (type: GitObjectType, sizeBytes: Int64)? {
        guard let number = number(of: oid) else { return nil }
        let reader = readers.take(self)
        defer { readers.give(back: reader) }
        let header = try reader.header(of: number)
        return (header.type, Int64(header.sizeBytes))
    }

    /// An object in full.
    ///
    /// - Throws: `.missing`, `.tooLarge` when it has more bytes than `limit`, `.corrupt`.
    package func read(_ oid: GitOID, limit: Int64) throws(GitStoreError) -> GitObject {
        try withObject(oid, limit: Int(clamping: limit)) { object throws(GitStoreError) in
            GitObject(type: object.type, bytes: Array(object.bytes))
        }
    }

    package func commit(_ oid: GitOID) throws(GitStoreError) -> GitCommit {
        try withObject(oid, limit: ObjectReader.maximumStructureBytes) { object throws(GitStoreError) in
            guard object.type == .commit else { throw .unexpectedType(oid) }
            return try GitCommit(parsing: object.bytes)
        }
    }

    package func tag(_ oid: GitOID) throws(GitStoreError) -> GitTag {
        try withObject(oid, limit: ObjectReader.maximumStructureBytes) { object throws(GitStoreError) in
            guard object.type == .tag else { throw .unexpectedType(oid) }
            return try GitTag(parsing: object.bytes)
        }
    }

    package func tree(_ oid: GitOID) throws(GitStoreError) -> [GitTreeEntry] {
        try withObject(oid, limit: ObjectReader.maximumStructureBytes) { object throws(GitStoreError) in
            guard object.type == .tree else { throw .unexpectedType(oid) }
            return try TreeParser.entries(of: object.bytes)
        }
    }

    /// What an annotated tag finally points to; any other object is its own answer.
    ///
    /// - Throws: `.tagChainTooLong` beyond `maximumTagChain` tags; no push makes a ref to such a tag.
    package func peel(_ oid: GitOID) throws(GitStoreError) -> GitOID {
        var next = oid
        for _ in 0...Self.maximumTagChain {
            guard let header = try header(of: next) else { throw .missing(next) }
            guard header.type == .tag else { return next }
            next = try tag(next).target
        }
        throw .tagChainTooLong(oid)
    }

    package static let maximumTagChain = 64

    /// The tree of a commit, of a tag of a commit or tree, or a tree itself.
    package func rootTree(of oid: GitOID) throws(GitStoreError) -> GitOID {
        let peeled = try peel(oid)
        guard let header = try header(of: peeled) else { throw .missing(peeled) }
        switch header.type {
        case .commit: return try commit(peeled).tree
        case .tree: return peeled
        case .blob, .tag: throw .unexpectedType(oid)
        }
    }

    /// The entry at a path such as `a/b.txt`, `nil` when there is none.
    ///
    /// The empty path names the root tree.
    package func entry(at path: String, in commitOrTree: GitOID) throws(GitStoreError) -> GitTreeEntry? {
        var entry = GitTreeEntry(mode: GitFileMode.tree, name: [], oid: try rootTree(of: commitOrTree))
        for part in path.utf8.split(separator: UInt8(ascii: "/")) {
            guard entry.isTree, let next = try child(named: Array(part), of: entry.oid) else { return nil }
            entry = next
        }
        return entry
    }

    private func child(named name: [UInt8], of tree: GitOID) throws(GitStoreError) -> GitTreeEntry? {
        try withObject(tree, limit: ObjectReader.maximumStructureBytes) { object throws(GitStoreError) in
            guard object.type == .tree else { throw .unexpectedType(tree) }
            var parser = TreeParser(object.bytes)
            while let entry = try parser.next() {
                guard entry.name.elementsEqual(name) else { continue }
                return GitTreeEntry(mode: entry.mode, name: name, oid: entry.oid)
            }
            return nil
        }
    }

    /// Lends the bytes of a tree.
    func withTree<Value>(
        _ oid: GitOID, _ body: (UnsafeRawBufferPointer) throws(GitStoreError) -> Value
    ) throws(GitStoreError) -> Value {
        try withObject(oid, limit: ObjectReader.maximumStructureBytes) { object throws(GitStoreError) in
            guard object.type == .tree else { throw .unexpectedType(oid) }
            return try body(object.bytes)
        }
    }

    /// Reads with a pooled reader; formats broken in the store are damage, not the caller's fault.
    private func withObject<Value>(
        _ oid: GitOID, limit: Int, _ body: (ObjectReader.Loaded) throws(GitStoreError) -> Value
    ) throws(GitStoreError) -> Value {
        guard let number = number(of: oid) else { throw .missing(oid) }
        let reader = readers.take(self)
        defer { readers.give(back: reader) }
        do {
            return try body(try reader.load(number, limit: limit))
        } catch .malformed(let what) {
            throw .corrupt(what)
        }
    }
}
