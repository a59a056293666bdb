import BundleFormat
import Glibc
import GitStore
import HubCore

/// Makes a git repository of snapshots: small files in git, large ones as Git LFS pointers.
///
/// The history of a name is kept between bundles, so that the next snapshot of it is a commit on top of the last and a target that
/// has the last only moves forward. The same files make the same commit.
package final class SnapshotRepositories {
    private typealias HashedFile = (file: Snapshot.File, hashes: SegmentHashes)

    private let folder: CreationFolder
    private let store: GitStore

    /// - Parameter folder: keeps the history; only git objects, no large files.
    package init(_ folder: CreationFolder, threads: GitThreads) throws {
        self.folder = folder
        store = try GitStore(root: folder.file("git"), staging: folder.file("staging"), threads: threads)
    }

    /// The repository with its bundle and large objects.
    ///
    /// - Parameters:
    ///   - knowledge: what the target has.
    ///   - work: takes the git bundle.
    ///   - time: of a commit that must be made, in seconds since 1970.
    /// - Returns: `nil` when the target has it as it is.
    package func add(
        _ snapshot: Snapshot, to contents: inout BundleContents, knowledge: TargetKnowledge, work: CreationFolder, time: Int64,
        progress: (Int64) throws -> Void
    ) throws {
        let uid = BundleUID.repository(snapshot.reference)
        var history = try History(folder, uid: uid)
        let existing = try store.objects(of: uid, packs: history.packs)
        let plan = try SnapshotPlan(snapshot)
        let hashed: [HashedFile] = try plan.large.map { file in
            let hashes = try SegmentHashes(of: file.source, sizeBytes: file.sizeBytes, progress: progress)
            if let claimed = file.claimed, claimed != hashes.whole {
                throw CreationError.badSource(file.source, reason: "does not have the content that the download promised; download it again")
            }
            return (file, hashes)
        }
        let writer = try store.makeWriter(for: uid, existing: existing)
        let tree = try write(plan, hashed, writer, progress)
        if tree != history.tree || snapshot.upstream?.revision != history.upstream {
            let signature = GitSignature(name: "csghub bundle", email: "noreply@localhost", time: time)
            let commit = try writer.write(
                commit: NewCommit(
                    tree: tree, parents: history.commit.map { [$0] } ?? [], author: signature, message: message(snapshot)))
            let pack = try store.publish(writer.finish(tips: [commit]))
            history.packs.append(pack)
            history.commit = commit
            history.tree = tree
            history.upstream = snapshot.upstream?.revision
            try history.save(in: folder, uid: uid)
        }
        guard let commit = history.commit, let main = ReferenceName("refs/heads/main") else { return }
        let known = knowledge.refs(of: snapshot.reference)[main]
        let objects = hashed.map(\.hashes.whole)
        guard known != commit || !Set(objects).isSubset(of: knowledge.objects) else { return }
        let bundle = try known == commit ? nil : makeBundle(of: commit, uid: uid, history: history, known: known, work: work)
        if snapshot.reference.kind == .model { contents.modelFiles[BundleUID.of(snapshot.reference)] = try fileHashes(plan, hashed) }
        contents.add(
            describe(snapshot, plan, hashed, ref: .init(name: main, oid: commit, old: known), bundle: bundle, knowledge: knowledge),
            items: items(hashed, knowledge: knowledge)
                + (bundle.map { [BundleItem(content: .gitBundle(uid: BundleUID.of(snapshot.reference), sha256: $0.sha256), sizeBytes: $0.sizeBytes, path: $0.path)] } ?? []))
    }

    /// The content of all files, small ones too.
    private func fileHashes(_ plan: SnapshotPlan, _ hashed: [HashedFile]) throws -> [(path: String, sha256: ObjectID)] {
        try plan.inline.map { ($0.path, try SegmentHashes(of: $0.source, sizeBytes: $0.sizeBytes) { _ in }.whole) }
            + hashed.map { ($0.file.path, $0.hashes.whole) }
    }

    private func message(_ snapshot: Snapshot) -> String {
        guard let upstream = snapshot.upstream else { return "Take the folder as it is\n" }
        return "Take the snapshot of \(upstream.kind)\n" + (upstream.revision.map { "\nUpstream-Revision: \($0)\n" } ?? "")
    }

    private func write(
        _ plan: SnapshotPlan, _ hashed: [HashedFile], _ writer: ObjectWriter, _ progress: (Int64) throws -> Void
    ) throws -> GitOID {
        var edits: [TreeEdit] = []
        for file in plan.inline {
            let open = try BundleFile.reading(file.source, name: file.source)
            var offset: Int64 = 0
            let blob = try writer.write(blobOfSize: file.sizeBytes) { buffer in
                let count = try open.readUpTo(buffer, at: offset)
                offset += Int64(count)
                return count
            }
            try progress(file.sizeBytes)
            edits.append(.put(file.path, blob, mode: file.isExecutable ? GitFileMode.executable : GitFileMode.file))
        }
        for (file, hashes) in hashed {
            let blob = try writer.write(blob: Array(LFSPointer(oid: hashes.whole, sizeBytes: file.sizeBytes).text.utf8))
            edits.append(.put(file.path, blob, mode: file.isExecutable ? GitFileMode.executable : GitFileMode.file))
        }
        if let attributes = plan.attributes {
            edits.append(.put(GitAttributes.fileName, try writer.write(blob: Array(attributes.utf8))))
        }
        return try writer.write(edits: edits, onto: nil)
    }

    private func makeBundle(
        of commit: GitOID, uid: RepositoryUID, history: History, known: GitOID?, work: CreationFolder
    ) throws -> GitBundleFile {
        let objects = try store.objects(of: uid, packs: history.packs)
        // A commit that the target has and that is not ours is no base for anything.
        let haves = known.flatMap { objects.contains($0) ? [$0] : nil } ?? []
        let path = work.file("\(uid).bundle")
        unlink(path)
        let output = try AppendedFile(path)
        try output.append(
            Array(("# v2 git bundle\n" + haves.map { "-\($0)\n" }.joined() + "\(commit) HEAD\n\(commit) refs/heads/main\n\n").utf8))
        try objects.writePack(FetchRequest(wants: [commit], haves: haves)) { bytes throws(GitStoreError) in output.append(bytes) }
        try output.close()
        return try GitBundleFile(path: path)
    }

    private func describe(
        _ snapshot: Snapshot, _ plan: SnapshotPlan, _ hashed: [HashedFile], ref: BundleRepository.Ref,
        bundle: GitBundleFile?, knowledge: TargetKnowledge
    ) -> BundleRepository {
        var paths: [ObjectID: [String]] = [:]
        var sizes: [ObjectID: Int64] = [:]
        for (file, hashes) in hashed {
            let oid = hashes.whole
            if paths[oid, default: []].count < 20 { paths[oid, default: []].append(file.path) }
            sizes[oid] = file.sizeBytes
        }
        let objects = sizes.keys.sorted().map { oid in
            BundleRepository.LargeObject(
                oid: oid, sizeBytes: sizes[oid] ?? 0, paths: paths[oid] ?? [], isInBundle: !knowledge.objects.contains(oid))
        }
        return BundleRepository(
            uid: BundleUID.of(snapshot.reference), kind: snapshot.reference.kind, name: snapshot.reference.name, upstream: snapshot.upstream,
            refs: [ref], gitBundle: bundle.map { .init(sha256: $0.sha256, sizeBytes: $0.sizeBytes, prerequisites: $0.prerequisites) },
            objects: objects, license: plan.license())
    }

    private func items(_ hashed: [HashedFile], knowledge: TargetKnowledge) -> [BundleItem] {
        hashed.filter { !knowledge.objects.contains($0.hashes.whole) }.map { file, hashes in
            BundleItem(content: .object(hashes.whole), sizeBytes: file.sizeBytes, path: file.source, segments: hashes.segments)
        }
    }
}
