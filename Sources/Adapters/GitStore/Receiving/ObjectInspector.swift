import HubCore

/// Looks at each object of a pack once, while its bytes are in memory: names it, holds it to git's rules, notes what it
/// names, finds Git LFS pointers, and compares it with an object of the same name that the repository has.
///
/// Each thread has its own; the findings are joined at the end. Used by one thread at a time.
final class ObjectInspector {
    let limits: ReceiveLimits
    private let existing: GitObjects
    private var finder: NumberFinder
    private var treeRules: TreeRules

    /// Everything that the inspected objects name, submodules' commits excepted.
    let references = ReferenceTable()
    private(set) var pointers: [FoundPointer] = []
    /// Blobs that some tree names `.gitmodules` or `.gitattributes`, which are looked into at the end.
    private(set) var specialBlobs: [GitOID: Set<DotGitNames.SpecialFile>] = [:]
    /// An object of this pack is in the repository already.
    private(set) var foundExisting = false

    /// 52 bytes a pointer, where the type with its text takes some 200.
    struct FoundPointer {
        let blob: GitOID
        let oid: (UInt64, UInt64, UInt64, UInt64)
        let sizeBytes: Int64
    }

    init(limits: ReceiveLimits, existing: GitObjects) {
        self.limits = limits
        self.existing = existing
        finder = NumberFinder(existing)
        treeRules = TreeRules(maximumNameBytes: limits.maximumNameBytes)
    }

    /// - Returns: the object's name.
    func inspect(_ type: GitObjectType, _ bytes: UnsafeRawBufferPointer) throws(GitStoreError) -> GitOID {
        let oid = try ObjectHasher.name(of: type, bytes)
        do {
            switch type {
            case .commit:
                try CommitRules.check(
                    commit: bytes, tree: { references.insert($0, .tree) }, parent: { references.insert($0, .commit) })
            case .tree: try inspectTree(bytes)
            case .blob: try inspectBlob(bytes, oid)
            case .tag:
                let (target, targetType) = try CommitRules.check(tag: bytes)
                references.insert(target, ExpectedTypes(targetType))
            }
        } catch let violation as RuleViolation {
            throw .refused(.brokenRule(oid, type, rule: violation.rule, violation.explanation))
        } catch let error as GitStoreError {
            guard case .malformed(let what) = error else { throw error }
            throw .refused(.brokenRule(oid, type, rule: "badTree", what))
        } catch {
            throw .malformed("an object could not be read")
        }
        guard references.count <= limits.maximumReferences else {
            throw .refused(
                .overLimit("it names more than \(limits.maximumReferences) different objects; push in parts"))
        }
        if finder.number(of: oid) != nil { try compare(type, bytes, oid) }
        return oid
    }

    /// Notes an object that was hashed as it streamed by; whoever streams it compares it.
    ///
    /// - Returns: whether the repository has an object of this name.
    func noteStreamed(_ oid: GitOID) -> Bool {
        guard finder.number(of: oid) != nil else { return false }
        foundExisting = true
        return true
    }

    private func inspectTree(_ bytes: UnsafeRawBufferPointer) throws {
        treeRules.reset()
        var parser = TreeParser(bytes)
        var count = 0
        while let entry = try parser.next() {
            count += 1
            switch try treeRules.check(entry) {
            case .ordinary: break
            case .special(let file): specialBlobs[entry.oid, default: []].insert(file)
            }
            if !GitFileMode.isGitlink(entry.mode) {
                references.insert(entry.oid, GitFileMode.isTree(entry.mode) ? .tree : .blob)
            }
        }
        guard count <= limits.maximumTreeEntries else {
            throw GitStoreError.refused(.overLimit("a folder has more than \(limits.maximumTreeEntries) entries"))
        }
    }

    private func inspectBlob(_ bytes: UnsafeRawBufferPointer, _ oid: GitOID) throws(GitStoreError) {
        guard bytes.count <= LFSPointer.maximumByteCount, let pointer = LFSPointer(parsing: bytes) else { return }
        guard pointers.count < limits.maximumPointers else {
            throw .refused(.overLimit("it has more than \(limits.maximumPointers) Git LFS files; push in parts"))
        }
        pointers.append(FoundPointer(blob: oid, pointer))
    }

    /// What has the same name must have the same bytes; anything else is a collision that the hash did not detect.
    private func compare(_ type: GitObjectType, _ bytes: UnsafeRawBufferPointer, _ oid: GitOID) throws(GitStoreError) {
        foundExisting = true
        guard let header = try existing.header(of: oid), header.type == type, header.sizeBytes == Int64(bytes.count)
        else {
            throw .refused(.collision(oid))
        }
        let stored = try existing.read(oid, limit: header.sizeBytes)
        guard stored.bytes.withUnsafeBytes({ $0.isEqual(to: bytes) }) else { throw .refused(.collision(oid)) }
    }
}

extension ObjectInspector.FoundPointer {
    fileprivate init(blob: GitOID, _ pointer: LFSPointer) {
        self.blob = blob
        sizeBytes = pointer.sizeBytes
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: Hex.decode(pointer.oid.hex) ?? []) }
        oid = words
    }

    var pointer: LFSPointer {
        LFSPointer(oid: ObjectID(digest: withUnsafeBytes(of: oid) { Array($0) }), sizeBytes: sizeBytes)
    }
}
