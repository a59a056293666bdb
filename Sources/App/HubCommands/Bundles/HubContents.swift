import BundleFormat
import Bundles
import Glibc
import HubAPI
import HubCore
import NIOCore
import Synchronization

/// Takes repositories of a hub into a bundle: their history as git bundles, their large objects where they lie.
struct HubContents {
    let client: HubClient
    let console: Console
    let data: String
    let work: CreationFolder
    let knowledge: TargetKnowledge
    /// Whether the hub signs models: where its own key signs the bundle.
    let signsModels: Bool
    /// What a person attaches, by repository and name.
    let attached: [(reference: RepositoryReference, name: String)]

    func add(_ order: [BundleOrder.HubRepository], to contents: inout BundleContents) async throws {
        for wanted in order {
            let found = try await repository(wanted)
            guard let found else {
                console.note("\(wanted.reference): the target has all of it already.")
                continue
            }
            contents.add(found.repository, items: found.items)
        }
    }

    private func repository(_ wanted: BundleOrder.HubRepository) async throws -> (repository: BundleRepository, items: [BundleItem])? {
        let path = wanted.reference.apiPath
        let model: RepositoryModel = try await client.get(path)
        let listing = try await listing(path)
        let chosen = try choose(wanted, of: listing.refs, defaultBranch: model.defaultBranch)
        let known = knowledge.refs(of: wanted.reference)
        let source = BundleSourceModel(
            references: chosen.map { .init(name: $0.name.text, oid: $0.oid.hex) }, haves: Array(Set(known.values.map(\.hex))).sorted())
        let uid = BundleUID.of(RepositoryUID(trusted: listing.head?.uid ?? ""))
        let bundle = chosen.isEmpty ? nil : try await gitBundle(uid, path: path, source)
        let objects = chosen.isEmpty ? [] : try await largeObjects(path, source, reference: wanted.reference)
        let refs = chosen.map { BundleRepository.Ref(name: $0.name, oid: $0.oid, old: known[$0.name]) }
        if refs.allSatisfy({ $0.old == $0.oid }), !refs.isEmpty || !known.isEmpty, objects.allSatisfy({ !$0.object.isInBundle }) { return nil }
        let name = try RepositoryName(parsing: "\(model.namespace)/\(model.name)")
        var repository = BundleRepository(
            uid: uid, kind: model.kind, name: name, description: model.description, defaultBranch: model.defaultBranch,
            upstream: upstream(listing.head, refs, defaultBranch: model.defaultBranch), refs: refs,
            gitBundle: bundle.map { .init(sha256: $0.sha256, sizeBytes: $0.sizeBytes, prerequisites: $0.prerequisites) },
            objects: objects.map(\.object))
        repository.license = try await license(
            path, revision: wanted.revision ?? model.defaultBranch,
            isGated: model.gate != .none || listing.head?.origin?.isGated == true)
        var items = try await objects.filter(\.object.isInBundle).asyncMap { object in
            try await item(object.object, path: object.path, of: wanted.reference)
        }
        if let bundle {
            items.append(BundleItem(content: .gitBundle(uid: uid, sha256: bundle.sha256), sizeBytes: bundle.sizeBytes, path: bundle.path))
        }
        if signsModels, model.kind == .model, let signature = try await modelSignature(path, of: repository) {
            let name = try await signatureName(path, of: repository)
            try work.write(signature, to: "\(uid)-\(name)")
            repository.attachments.append(
                .init(format: BundleRepository.Attachment.modelSignature, name: name, sha256: BundleDigest.hash(signature), sizeBytes: Int64(signature.count)))
            items.append(
                BundleItem(
                    content: .attachment(uid: uid, name: name), sizeBytes: Int64(signature.count), path: work.file("\(uid)-\(name)")))
        }
        return (repository, items)
    }

    private func signatureName(_ path: [String], of repository: BundleRepository) async throws -> String {
        let isAttached = attached.contains { $0.reference == repository.reference && $0.name == ModelSignatureName.usual }
        guard !isAttached else { return ModelSignatureName.beside }
        let upstream = try await file(ModelSignatureName.usual, path, revision: repository.defaultBranch)
        return upstream == nil ? ModelSignatureName.usual : ModelSignatureName.beside
    }

    /// Where an imported repository was before it came to this hub; else this hub.
    private func upstream(
        _ head: ExportLine.Head?, _ refs: [BundleRepository.Ref], defaultBranch: String
    ) -> BundleRepository.Upstream {
        if let origin = head?.origin {
            return .init(
                kind: origin.kind ?? "hub", url: origin.url, revision: origin.revision, fetched: origin.fetched, etag: origin.etag,
                publisher: origin.publisher)
        }
        let main = refs.first { $0.name.text == "refs/heads/" + defaultBranch } ?? refs.first
        return .init(kind: "hub", url: head?.address, revision: main?.oid.hex)
    }

    /// The hub's signature of the default branch's files, or of the only revision; `nil` where the specification does not cover them.
    private func modelSignature(_ path: [String], of repository: BundleRepository) async throws -> [UInt8]? {
        guard let commit = repository.signedCommit else { return nil }
        do {
            return try await client.bytes(posting: path + ["model-signature"], query: [("commit", commit.hex)])
        } catch let failure as CommandFailure where failure.code == "not_signable" {
            console.note("\(repository.reference) is not signed as a model: it has no files, or links among them.")
            return nil
        }
    }

    // MARK: - Refs

    private struct Listing {
        var head: ExportLine.Head?
        var refs: [BundleRepository.Ref] = []
    }

    private func listing(_ path: [String]) async throws -> Listing {
        let listing = Mutex(Listing())
        try await client.lines(of: ExportLine.self, path + ["export"]) { line in
            if let head = line.repository { listing.withLock { $0.head = head } }
            guard let reference = line.reference, let name = ReferenceName(reference.name), let oid = GitOID(hex: reference.oid),
                // What others brought here is theirs to send.
                !reference.name.hasPrefix("refs/import/"), !reference.name.hasPrefix("refs/pr/")
            else { return }
            listing.withLock { $0.refs.append(.init(name: name, oid: oid)) }
        }
        return listing.withLock { $0 }
    }

    private func choose(
        _ wanted: BundleOrder.HubRepository, of all: [BundleRepository.Ref], defaultBranch: String
    ) throws -> [BundleRepository.Ref] {
        guard let revision = wanted.revision else { return all }
        for name in [revision, "refs/heads/\(revision)", "refs/tags/\(revision)"] {
            if let found = all.first(where: { $0.name.text == name }) { return [found] }
        }
        // A commit becomes the default branch of the target.
        if let oid = GitOID(hex: revision), let name = ReferenceName.branch(defaultBranch) { return [.init(name: name, oid: oid)] }
        throw CommandFailure(.failed, "\(wanted.reference) has no branch, tag or commit “\(DisplayText.safe(revision))”; write commits in full.")
    }

    // MARK: - Content

    private func gitBundle(_ uid: String, path: [String], _ source: BundleSourceModel) async throws -> GitBundleFile? {
        let file = work.file("\(uid).bundle")
        let output = try AppendedFile(file)
        let bar = ProgressBar("Collecting history", total: nil, console: console)
        try await client.download(posting: source, to: path + ["export", "bundle"]) { piece in
            piece.withUnsafeReadableBytes { output.append($0) }
            bar.advance(by: Int64(piece.readableBytes))
        }
        bar.finish()
        try output.close()
        let bundle = try GitBundleFile(path: file)
        // A pack of nothing moves refs only, for which no bundle is needed.
        return bundle.objectCount > 0 ? bundle : nil
    }

    private typealias Found = (object: BundleRepository.LargeObject, path: String)

    private func largeObjects(
        _ path: [String], _ source: BundleSourceModel, reference: RepositoryReference
    ) async throws -> [Found] {
        let lines = Mutex<[BundleObjectLine]>([])
        try await client.lines(of: BundleObjectLine.self, posting: source, to: path + ["export", "objects"]) { line in
            lines.withLock { $0.append(line) }
        }
        var found: [Found] = []
        var missing = 0
        for line in lines.withLock({ $0 }) {
            guard let oid = ObjectID(hex: line.oid) else { continue }
            let isKnown = knowledge.objects.contains(oid)
            if !line.isStored, !isKnown {
                missing += 1
                continue
            }
            found.append(
                (.init(oid: oid, sizeBytes: line.sizeBytes, paths: line.file.map { [$0] } ?? [], isInBundle: !isKnown), line.path))
        }
        if missing > 0 {
            console.note("\(reference): \(DisplayText.counted(missing, "large object")) that its history names are not in this hub and are left out.")
        }
        return found
    }

    /// An object that has a file of its own is read where it lies; one that came in parts is put together in the work folder first.
    private func item(_ object: BundleRepository.LargeObject, path: String, of reference: RepositoryReference) async throws -> BundleItem {
        let place = "\(data)/\(path)"
        var status = stat()
        if stat(place, &status) == 0, Int64(status.st_size) == object.sizeBytes, access(place, R_OK) == 0 {
            return BundleItem(content: .object(object.oid), sizeBytes: object.sizeBytes, path: place)
        }
        let spool = try work.folder("spool")
        let file = spool.file(object.oid.hex)
        if stat(file, &status) != 0 || Int64(status.st_size) != object.sizeBytes {
            let output = try AppendedFile(file + ".part")
            let bar = ProgressBar("Collecting objects", total: object.sizeBytes, console: console)
            defer { bar.finish() }
            try await client.download(reference.apiPath + ["objects", object.oid.hex]) { piece in
                piece.withUnsafeReadableBytes { output.append($0) }
                bar.advance(by: Int64(piece.readableBytes))
            }
            try output.close()
            guard rename(file + ".part", file) == 0 else { throw CreationError.system(operation: "Writing", path: file, code: errno) }
        }
        return BundleItem(content: .object(object.oid), sizeBytes: object.sizeBytes, path: file)
    }

    // MARK: - License

    private func license(_ path: [String], revision: String, isGated: Bool) async throws -> BundleRepository.License? {
        let readme = try await file("README.md", path, revision: revision)
        var files: [(path: String, bytes: [UInt8])] = []
        for name in DeclaredLicense.fileNames {
            if let bytes = try await file(name, path, revision: revision) { files.append((name, bytes)) }
        }
        return DeclaredLicense.of(readme: readme, files: files, isGated: isGated)
    }

    private func file(_ name: String, _ path: [String], revision: String) async throws -> [UInt8]? {
        let body = Mutex<[UInt8]>([])
        do {
            try await client.download(path + ["file"], query: [("path", name), ("revision", revision)]) { piece in
                body.withLock { $0 += Array(piece.readableBytesView) }
            }
        } catch let failure as CommandFailure where failure.code == "file_not_found" || failure.code == "revision_not_found" {
            return nil
        }
        return body.withLock { $0 }
    }
}

extension Sequence {
    fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async throws -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}

/// What the publisher's own signature of a model is called in a bundle.
enum ModelSignatureName {
    static let usual = "model.sig"
    /// Where one from upstream has that name, in the repository or attached: it stays untouched.
    static let beside = "publisher-model.sig"
}
