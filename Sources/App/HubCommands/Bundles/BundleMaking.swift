import BundleFormat
import Bundles
import Glibc
import GitStore
import HubAPI
import HubCore
import NIOPosix

/// `csghub bundle create`: collects, measures, writes and signs.
struct BundleMaking {
    let order: BundleOrder
    let outputs: [String]
    let media: MediaSize
    let volumeLimit: Int64?
    let since: String?
    let assumed: [String]
    let key: String?
    let stream: String
    let note: String?
    let isDryRun: Bool
    let data: String?
    let session: CommandSession

    private var console: Console { session.console }
    private var places: BundleOutputs { BundleOutputs(paths: outputs, media: media) }

    func run() async throws {
        try places.check()
        let home = try BundleHome.find(needsHub: !order.repositories.isEmpty, data: data, session: session)
        let knowledge = try await knowledge(home)
        let signer = try await home.signer(key: key, session: session)
        let work = try home.folder.folder("creating").folder(identity)
        do {
            if let creation = try isDryRun ? nil : BundleCreation(resuming: work) {
                console.note("Going on with bundle \(creation.head.stream) #\(creation.head.sequence), begun \(creation.head.created).")
                try await finish(creation, home, signer)
            } else {
                var contents = try await collect(home, knowledge, work)
                try await signModels(signer, work, &contents)
                let creation = try BundleCreation(contents, head: head(home, knowledge, signer), in: work)
                if isDryRun {
                    defer { work.remove() }
                    return try await describe(creation, signer)
                }
                try await finish(creation, home, signer)
            }
        } catch let error as SourceError {
            // What was measured is of no use any more.
            work.remove()
            throw error
        }
        work.remove()
    }

    /// Names the work folder, so that the same command finds it again.
    private var identity: String {
        let limit = volumeLimit.map { String($0) } ?? ""
        let parts = [order.text, stream, since ?? "", assumed.joined(separator: " "), note ?? "", limit, isDryRun ? "dry" : ""]
        return String(BundleDigest.hash(Array(parts.joined(separator: "\u{0}").utf8)).hex.prefix(16))
    }

    private func knowledge(_ home: BundleHome) async throws -> TargetKnowledge {
        var knowledge = TargetKnowledge()
        if let since {
            let bytes = try Media.contents(of: since, name: since, limit: Inventory.maximumBytes)
            try await checkSignature(of: bytes, in: since)
            knowledge.add(try Inventory(parsing: bytes, file: since), digest: BundleDigest.hash(bytes))
        }
        for text in assumed {
            if let id = BundleID(parsing: text) {
                knowledge.add(try home.sent.manifest(id))
            } else {
                for bundle in try Media.bundles(below: HubLocation.absolute(text)) { knowledge.add(bundle.manifest) }
            }
        }
        return knowledge
    }

    /// Says whose inventory it is. One that was changed on the way makes a bundle that lacks something, which the target then asks for.
    private func checkSignature(of inventory: [UInt8], in file: String) async throws {
        let policy = try await TrustSource(session: session, data: data).policy(files: [])
        var signature: [UInt8]?
        do throws(BundleError) {
            let path = InventorySignature.path(of: file)
            signature = try Media.contents(of: path, name: path, limit: DSSEEnvelope.maximumBytes)
        } catch {
            guard case .inaccessible(_, let code) = error, code == ENOENT else { throw error }
        }
        switch try InventorySignature.judge(signature, of: BundleDigest.hash(inventory), file: file, by: policy) {
        case .signed(let publisher): console.note("The inventory is signed by \(publisher), which is trusted here.")
        case .unsigned: console.note(DisplayText.safe("The inventory is not signed: there is no \(InventorySignature.path(of: file))."))
        case .unknown(let publisher):
            console.note(
                "The inventory says that it is by \(publisher), whom nobody trusts here, so its signature cannot be checked. "
                    + "“csghub trust add” changes that, with the list of keys of \(publisher).")
        }
    }

    private func head(_ home: BundleHome, _ knowledge: TargetKnowledge, _ signer: BundleSigner) throws -> BundleManifest {
        var generator = SystemRandomNumberGenerator()
        let nonce = Hex.encode((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        return BundleManifest(
            nonce: nonce, publisher: signer.publisher, stream: stream,
            sequence: try home.sent.nextSequence(publisher: signer.publisher, stream: stream), created: UTCTime.text(Int64(time(nil))),
            kind: knowledge.isEmpty ? .full : .delta, base: knowledge.isEmpty ? nil : knowledge.base, note: note, repositories: [], volumes: [],
            media: [], objects: .init(count: 0, bytes: 0),
            custody: [.init(step: "export", host: HostName.text, operator: session.environment["SUDO_USER"] ?? session.environment["USER"])])
    }

    // MARK: - Collecting

    private func collect(_ home: BundleHome, _ knowledge: TargetKnowledge, _ work: CreationFolder) async throws -> BundleContents {
        var contents = BundleContents()
        if !order.repositories.isEmpty, let location = home.location {
            let transport = try await session.connect(location, session)
            do {
                let client = HubClient(transport: transport)
                try await HubContents(
                    client: client, console: console, data: location.data, work: work, knowledge: knowledge, signsModels: key == nil,
                    attached: order.attachments.map { ($0.reference, BundleOrder.name(of: $0.path)) }
                ).add(order.repositories, to: &contents)
                contents.aliases += try await aliases(client, of: contents.repositories)
            } catch {
                // The collection's own error says more than one of closing.
                try? await transport.close()
                throw error
            }
            try await transport.close()
        }
        try await addSnapshots(home, knowledge, work, to: &contents)
        try await attach(work, to: &contents)
        contents.aliases += order.aliases.filter { !contents.aliases.contains($0) }
        guard !contents.repositories.isEmpty else { throw CreationError.nothingToSend }
        return contents
    }

    /// Ids of one part that the hub has for these repositories.
    private func aliases(_ client: HubClient, of repositories: [BundleRepository]) async throws -> [BundleManifest.Alias] {
        let setting: SettingModel = try await client.get(["settings", "repository-aliases"])
        return (AliasList(setting.value)?.entries ?? []).filter { entry in
            repositories.contains { $0.kind == entry.kind && $0.name.description.lowercased() == entry.target.description.lowercased() }
        }.map { .init(kind: $0.kind, name: $0.name, target: $0.target) }
    }

    private func addSnapshots(
        _ home: BundleHome, _ knowledge: TargetKnowledge, _ work: CreationFolder, to contents: inout BundleContents
    ) async throws {
        guard !order.folders.isEmpty || !order.caches.isEmpty else { return }
        var snapshots = try order.folders.map { try Snapshot.of(folder: $0.path, as: $0.reference) }
        for cache in order.caches { snapshots += try Snapshot.all(inCache: cache) }
        for line in snapshots.flatMap(\.notes) { console.note(DisplayText.safe(line)) }
        try tellOfRoom(for: snapshots.reduce(0) { $0 + $1.totalBytes })
        let threads = GitThreads(count: 2)
        let repositories = try SnapshotRepositories(home.folder.folder("snapshots"), threads: threads)
        let bar = ProgressBar("Reading files", total: snapshots.reduce(0) { $0 + $1.totalBytes }, console: console)
        defer { bar.finish() }
        for snapshot in snapshots {
            let before = contents.repositories.count
            try repositories.add(snapshot, to: &contents, knowledge: knowledge, work: work, time: Int64(time(nil))) { bytes in
                try Task.checkCancellation()
                bar.advance(by: bytes)
            }
            if contents.repositories.count == before {
                bar.finish()
                console.note("\(snapshot.reference): the target has all of it already.")
            }
        }
    }

    private func attach(_ work: CreationFolder, to contents: inout BundleContents) async throws {
        for attachment in order.attachments {
            guard let index = contents.repositories.firstIndex(where: { $0.reference == attachment.reference }) else {
                throw CommandFailure(.badData, "\(attachment.reference) is not in the bundle, so nothing can be attached to it.")
            }
            let name = BundleOrder.name(of: attachment.path)
            guard BundleRepository.isAttachmentName(name) else {
                throw CommandFailure(.badData, "An attachment's name has letters, digits, “-”, “_” and “.” only, at most 64: \(DisplayText.safe(name)).")
            }
            let bytes = try Media.contents(of: attachment.path, name: name, limit: 64 << 20)
            try attach(bytes, named: name, format: attachment.format, to: index, of: &contents, work)
        }
    }

    /// Signs the files of each model, so that verifiers of the OpenSSF's specification work on what is unpacked.
    private func signModels(_ signer: BundleSigner, _ work: CreationFolder, _ contents: inout BundleContents) async throws {
        for index in contents.repositories.indices {
            let repository = contents.repositories[index]
            guard let files = contents.modelFiles[repository.uid], !files.isEmpty,
                let signature = try await signer.signModel(repository.name.name, files)
            else { continue }
            let taken = repository.attachments.map(\.name) + files.map(\.path)
            let name = taken.contains(ModelSignatureName.usual) ? ModelSignatureName.beside : ModelSignatureName.usual
            try attach(signature, named: name, format: BundleRepository.Attachment.modelSignature, to: index, of: &contents, work)
        }
    }

    private func attach(
        _ bytes: [UInt8], named name: String, format: String, to index: Int, of contents: inout BundleContents, _ work: CreationFolder
    ) throws {
        let uid = contents.repositories[index].uid
        let copy = "attachment-\(uid)-\(name)"
        try work.write(bytes, to: copy)
        contents.repositories[index].attachments.append(
            .init(format: format, name: name, sha256: BundleDigest.hash(bytes), sizeBytes: Int64(bytes.count)))
        contents.items.append(BundleItem(content: .attachment(uid: uid, name: name), sizeBytes: Int64(bytes.count), path: work.file(copy)))
    }

    // MARK: - Making

    private func finish(_ creation: BundleCreation, _ home: BundleHome, _ signer: BundleSigner) async throws {
        // Not taken yet, unless an earlier run came this far.
        if try home.sent.nextSequence(publisher: signer.publisher, stream: stream) <= creation.head.sequence {
            try home.sent.take(creation.head.sequence, publisher: signer.publisher, stream: stream)
        }
        try tellOfMedia(creation)
        let bar = ProgressBar("Hashing", total: creation.contentBytes, console: console)
        defer { bar.finish() }
        let sources = try creation.measure(limitBytes: volumeLimit) { bytes in
            try Task.checkCancellation()
            bar.advance(by: bytes)
        }
        bar.finish()
        let layout = try creation.layout(sources, limitBytes: volumeLimit, places: places.places())
        let (manifest, folders) = try await BundleWriting(
            creation: creation, layout: layout, outputs: outputs, console: console, signer: signer
        ).run()
        try home.sent.record(manifest)
        let id = BundleID(manifest: BundleDigest.hash(manifest.canonicalBytes))
        console.note(
            "Bundle \(id), \(manifest.stream) #\(manifest.sequence): \(DisplayText.counted(manifest.repositories.count, "repository", "repositories")), "
                + "\(DisplayText.counted(manifest.objects.count, "large object")), \(DisplayText.bytes(layout.totalBytes)) in "
                + "\(DisplayText.counted(manifest.volumes.count, "volume")) on \(DisplayText.counted(manifest.media.count, "medium", "media")).")
        for path in outputs.dropFirst(manifest.media.count) { console.note("\(path) was not needed.") }
        if let fingerprint = signer.fingerprint { console.note("Signed by \(signer.publisher), fingerprint \(fingerprint).") }
        for folder in folders { console.print(folder) }
    }

    // MARK: - Figures

    /// What of the sources can be told before they are read.
    private func tellOfRoom(for sourceBytes: Int64) throws {
        guard !outputs.isEmpty else { return }
        let capacity = try places.capacityBytes()
        guard sourceBytes > capacity else { return }
        console.note(
            "The files have \(DisplayText.bytes(sourceBytes)), and the media of --out take \(DisplayText.bytes(capacity)). "
                + "Further media will be asked for, unless the target has much of it or it is mostly text.")
    }

    /// The exact figures before objects are hashed, where the media of `--out` may not suffice.
    /// - Throws: `CreationError.mediumTooSmall` when no volume fits.
    private func tellOfMedia(_ creation: BundleCreation) throws {
        guard !creation.hasLayout, try creation.greatestBytes > places.capacityBytes() else { return }
        let sources = try creation.measure(limitBytes: volumeLimit, isHashed: false) { _ in try Task.checkCancellation() }
        let layout = try BundleCreation.makeLayout(sources, head: creation.head, limitBytes: volumeLimit, places: places.places())
        guard layout.draft.media.count > outputs.count else { return }
        let sizes = layout.draft.media.map { DisplayText.bytes(layout.bytes(of: $0)) }
        console.note(
            "The bundle needs \(DisplayText.counted(sizes.count, "medium", "media")) (\(sizes.joined(separator: ", "))), and --out names \(outputs.count). "
                + "The others will be asked for.")
    }

    private func describe(_ creation: BundleCreation, _ signer: BundleSigner) async throws {
        let bar = ProgressBar("Measuring", total: creation.contentBytes, console: console)
        defer { bar.finish() }
        let sources = try creation.measure(limitBytes: volumeLimit, isHashed: false) { bar.advance(by: $0) }
        bar.finish()
        let places =
            outputs.isEmpty ? [MediaPlan.Place(path: "any", capacityBytes: media.capacityBytes ?? Int64.max >> 2)] : try places.places()
        let layout = try BundleCreation.makeLayout(sources, head: creation.head, limitBytes: volumeLimit, places: places)
        for repository in layout.draft.repositories {
            let carried =
                repository.objects.filter(\.isInBundle).reduce(0) { $0 + $1.sizeBytes } + (repository.gitBundle?.sizeBytes ?? 0)
                + repository.attachments.reduce(0) { $0 + $1.sizeBytes }
            console.print("repository\t\(repository.kind.rawValue)\t\(repository.name)\t\(carried)")
        }
        for volume in layout.draft.volumes { console.print("volume\t\(volume.number)\t\(volume.sizeBytes)") }
        let signature = try signer.draftFiles(layout.draft)
        var total: Int64 = 0
        for medium in layout.draft.media {
            let documents = MediumFolder.documents(layout.draft, medium: medium, files: signature, fingerprint: signer.fingerprint)
            let bytes = layout.bytes(of: medium) + documents.reduce(0) { $0 + Int64($1.bytes.count) }
            console.print("medium\t\(medium.number)\t\(bytes)")
            total += bytes
        }
        console.print("total\t\(total)")
    }
}
