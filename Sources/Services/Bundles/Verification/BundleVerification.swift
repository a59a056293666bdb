import BundleFormat
import HubCore

/// Checks everything of a bundle that its media hold: every volume, entry, object and document. Calls block.
///
/// One thread reads each volume once, one checks segments and one the objects that they make.
///
/// Media may be named in any order; a volume that is on several of them is read once, from the first whose index is whole.
package struct BundleVerification: Sendable {
    /// What was found.
    package struct Report: Sendable {
        /// Volumes that were read.
        package var checkedVolumes: [Int] = []
        /// Volumes that are on none of the media.
        package var missingVolumes: [BundleManifest.Volume] = []
        package var checkedBytes: Int64 = 0
        package var checkedObjects = 0
        /// What is damaged, in the order found; a sentence for each that says where.
        package var damages: [Damage] = []
        /// Repositories whose model signature is by the publisher.
        package var signedModels: [RepositoryReference] = []
        /// Those whose model signature is by somebody else.
        package var otherModelSignatures: [RepositoryReference] = []

        package var isComplete: Bool { missingVolumes.isEmpty }
    }

    package struct Damage: Sendable {
        package let error: BundleError
        package let message: String
    }

    private static let maximumDamages = 1000

    private let manifest: BundleManifest
    /// Of each volume the files that hold it.
    private let files: [Int: [String]]
    private let modelKeys: [SignerKey]

    /// - Parameters:
    ///   - locations: one bundle on one or more media.
    ///   - modelKeys: those that may sign its models.
    package init?(_ locations: [BundleLocation], modelKeys: [SignerKey]) {
        guard let first = locations.first else { return nil }
        manifest = first.manifest
        self.modelKeys = modelKeys
        var files: [Int: [String]] = [:]
        for location in locations {
            for volume in location.presentVolumes() {
                files[volume.number, default: []].append(location.path(of: volume))
            }
        }
        self.files = files
    }

    /// The bytes that `run` reads.
    package var totalBytes: Int64 {
        manifest.volumes.filter { files[$0.number] != nil }.reduce(0) { $0 + $1.sizeBytes }
    }

    /// - Parameter progress: called with the bytes read since the call before.
    /// - Throws: what `progress` throws; damages are in the report.
    package func run(progress: (Int64) throws -> Void = { _ in }) throws -> Report {
        var report = Report()
        var objects = ObjectCheck(manifest)
        let segments = DigestThread(depth: VolumeReader.pieceDelay)
        for volume in manifest.volumes {
            guard let paths = files[volume.number] else {
                report.missingVolumes.append(volume)
                continue
            }
            try check(volume, in: paths, segments, &report, &objects, progress)
            report.checkedVolumes.append(volume.number)
        }
        report.checkedObjects = objects.completeCount
        if report.isComplete, report.damages.isEmpty {
            for object in objects.missing { note(object, in: &report) }
        }
        return report
    }

    private func check(
        _ volume: BundleManifest.Volume, in paths: [String], _ segments: DigestThread, _ report: inout Report,
        _ objects: inout ObjectCheck, _ progress: (Int64) throws -> Void
    ) throws {
        var reader: VolumeReader?
        var failure: BundleError?
        for path in paths where reader == nil {
            do throws(BundleError) {
                reader = try VolumeReader(path: path, volume: volume, hashing: segments)
            } catch {
                failure = failure ?? error
            }
        }
        guard let reader else {
            if let failure { note(failure, in: &report) }
            return
        }
        for (n, entry) in reader.index.entries.enumerated() {
            try Task.checkCancellation()
            guard report.damages.count < Self.maximumDamages else { return }
            do {
                try check(n, entry, reader, &report, &objects, progress)
            } catch let error as BundleError {
                objects.forget(entry.content)
                note(error, in: &report)
                // A medium that is gone does not come back by asking for the rest.
                if case .mediumFailed = error { return }
                if case .truncated = error { return }
            }
        }
        do { try reader.checkEnd() } catch { note(error, in: &report) }
        report.checkedBytes += volume.sizeBytes
    }

    private func check(
        _ n: Int, _ entry: VolumeIndex.Entry, _ reader: VolumeReader, _ report: inout Report,
        _ objects: inout ObjectCheck,
        _ progress: (Int64) throws -> Void
    ) throws {
        switch entry.content {
        case .segment(let object, let offset):
            let isWhole = entry.encoding == .raw && entry.sha256 == object && objects.size(of: object) == entry.length
            if !isWhole { objects.begin(object, at: offset) }
            // The reader's memory is not used again before it was hashed.
            defer { objects.settle() }
            try reader.readContent(n) { bytes in
                if !isWhole { objects.feed(object, bytes) }
                try progress(Int64(bytes.count))
            }
            if isWhole {
                objects.complete(object)
            } else {
                try objects.finishSegment(object, volume: reader.index.volume, at: reader.offset(of: n))
            }
        case .gitBundle(let uid):
            try reader.readStored(n) { try progress(Int64($0.count)) }
            guard let repository = manifest.repositories.first(where: { $0.uid == uid }),
                let bundle = repository.gitBundle,
                bundle.sha256 == entry.sha256, bundle.sizeBytes == entry.length
            else {
                throw BundleError.unexpectedContent(
                    volume: reader.index.volume, reason: "\(entry.content.name) is not what the manifest names")
            }
            objects.complete(bundle.sha256)
        case .attachment(let uid, let name):
            let bytes = try reader.content(n)
            try progress(entry.storedLength)
            try checkAttachment(uid: uid, name: name, bytes, volume: reader.index.volume, &report)
        case .list:
            _ = try reader.content(n)
            try progress(entry.storedLength)
        }
    }

    private func checkAttachment(uid: String, name: String, _ bytes: [UInt8], volume: Int, _ report: inout Report)
        throws
    {
        guard let repository = manifest.repositories.first(where: { $0.uid == uid }),
            let attachment = repository.attachments.first(where: { $0.name == name }),
            attachment.sha256 == BundleDigest.hash(bytes), attachment.sizeBytes == Int64(bytes.count)
        else {
            throw BundleError.unexpectedContent(
                volume: volume, reason: "meta/\(uid)/\(name) is not what the manifest names")
        }
        guard attachment.format == "oms" else { return }
        for key in modelKeys {
            // That of another signer is told apart by not being ours.
            guard let content = try? ModelSignature.verify(bytes, key: key, file: name) else { continue }
            try checkModel(content, repository, volume: volume)
            report.signedModels.append(repository.reference)
            return
        }
        report.otherModelSignatures.append(repository.reference)
    }

    /// A model's signature must speak of the large files that the manifest names; small ones are bound by the commit.
    private func checkModel(_ content: ModelSignature.Content, _ repository: BundleRepository, volume: Int) throws {
        guard content.shardBytes == nil else { return }
        let signed = Dictionary(content.resources.map { ($0.path, $0.sha256) }) { first, _ in first }
        for object in repository.objects {
            // A path may have had other content in an earlier revision, so only the paths are compared; “csghub model verify” compares all.
            guard object.paths.isEmpty || object.paths.contains(where: { signed[$0] != nil }) else {
                throw BundleError.unexpectedContent(
                    volume: volume,
                    reason: "the model signature of \(repository.reference) does not cover \(object.paths[0])")
            }
        }
    }

    private func note(_ error: BundleError, in report: inout Report) {
        var message = error.problem.message
        switch error {
        case .damagedSegment(let volume, _, let object, _):
            message = "Medium \(medium(of: volume)): " + message + files(of: object)
        case .unexpectedContent(let volume, _): message = "Medium \(medium(of: volume)): " + message
        default: break
        }
        report.damages.append(Damage(error: error, message: message))
    }

    private func note(_ missing: ObjectID, in report: inout Report) {
        let error = BundleError.unexpectedContent(
            volume: manifest.volumes.last?.number ?? 1, reason: "object \(missing) is in no volume")
        report.damages.append(
            Damage(error: error, message: "Object \(missing) is in none of the volumes." + files(of: missing)))
    }

    private func medium(of volume: Int) -> Int { manifest.media.first { $0.volumes.contains(volume) }?.number ?? 1 }

    /// ` Files: models/ada/bert: model.safetensors.`
    private func files(of object: ObjectID) -> String {
        var names: [String] = []
        for repository in manifest.repositories {
            if repository.gitBundle?.sha256 == object { names.append("\(repository.reference): history") }
            guard let found = repository.objects.first(where: { $0.oid == object }) else { continue }
            names.append("\(repository.reference): \(found.paths.joined(separator: ", "))")
            if names.count == 5 { break }
        }
        return names.isEmpty ? "" : " Files: " + names.joined(separator: "; ") + "."
    }
}

/// Hashes objects across their segments, on a thread of its own.
struct ObjectCheck {
    private struct Open {
        let digest = BundleDigest()
        var next: Int64 = 0
    }

    /// More objects begun and not ended at a time than any writer leaves; beyond it segments are still checked one by one.
    private static let maximumOpen = 1000

    private let thread = DigestThread(depth: VolumeReader.pieceDelay)
    private var sizes: [ObjectID: Int64] = [:]
    private var open: [ObjectID: Open] = [:]
    private var complete: Set<ObjectID> = []
    /// Objects whose segments did not come in order; their parts are checked, the whole is not.
    private var unordered: Set<ObjectID> = []

    init(_ manifest: BundleManifest) {
        for repository in manifest.repositories {
            for object in repository.objects where object.isInBundle { sizes[object.oid] = object.sizeBytes }
            // In segments when it is larger than a volume.
            if let bundle = repository.gitBundle { sizes[bundle.sha256] = bundle.sizeBytes }
        }
    }

    var completeCount: Int { complete.count }
    /// In the bundle by the manifest, and in no volume.
    var missing: [ObjectID] { sizes.keys.filter { !complete.contains($0) && !unordered.contains($0) }.sorted() }

    func size(of object: ObjectID) -> Int64? { sizes[object] }

    mutating func begin(_ object: ObjectID, at offset: Int64) {
        if offset == 0, open[object] == nil, open.count < Self.maximumOpen { open[object] = Open() }
        if open[object]?.next != offset {
            open[object] = nil
            unordered.insert(object)
        }
    }

    /// The bytes must stay as they are until `VolumeReader.pieceDelay` more pieces came, or `settle` was called.
    mutating func feed(_ object: ObjectID, _ bytes: UnsafeRawBufferPointer) {
        guard let digest = open[object]?.digest else { return }
        thread.update(digest, bytes)
        open[object]?.next += Int64(bytes.count)
    }

    /// Waits until all that was fed is hashed.
    func settle() { thread.settle() }

    /// - Throws: `BundleError.damagedSegment` when the object is whole and has another hash.
    mutating func finishSegment(_ object: ObjectID, volume: Int, at offset: Int64) throws(BundleError) {
        guard let current = open[object], current.next == sizes[object] else { return }
        open[object] = nil
        settle()
        guard current.digest.finish() == object else {
            throw .damagedSegment(
                volume: volume, offset: offset, object: object,
                reason: "its segments do not make the object that they are named after")
        }
        complete.insert(object)
    }

    mutating func complete(_ object: ObjectID) { complete.insert(object) }

    mutating func forget(_ content: VolumeIndex.Content) {
        guard case .segment(let object, _) = content else { return }
        open[object] = nil
        unordered.insert(object)
    }
}
