import BundleFormat
import Bundles
import Glibc
import HubCore
import NIOPosix
import Synchronization

/// Writes the volumes of a bundle to its media and seals them.
struct BundleWriting {
    let creation: BundleCreation
    let layout: BundleLayout
    let outputs: [String]
    let console: Console
    let signer: BundleSigner

    /// The folders of the bundle on the media.
    func run() async throws -> (manifest: BundleManifest, folders: [String]) {
        let media = layout.draft.media
        let sealed = try creation.sealedMedia()
        return media.count <= outputs.count && sealed.isEmpty ? try await writeAll() : try await writeInTurn()
    }

    // MARK: - All media are there

    private func writeAll() async throws -> (BundleManifest, [String]) {
        let bar = ProgressBar("Writing", total: layout.totalBytes, console: console)
        defer { bar.finish() }
        for (medium, mount) in zip(layout.draft.media, outputs) {
            let folder = MediumFolder(mount: mount, nonce: layout.draft.nonce)
            try folder.begin()
            for number in medium.volumes { try await write(number, to: folder, bar) }
        }
        bar.finish()
        guard let manifest = try creation.manifest(layout) else { throw CommandFailure(.failed, "A volume was not written.") }
        let files = try await signedFiles(manifest)
        var folders: [String] = []
        for (medium, mount) in zip(manifest.media, outputs) {
            folders.append(try seal(manifest, medium, at: mount, files))
        }
        return (manifest, folders)
    }

    // MARK: - One medium after the other

    /// The manifest is on each medium, so it must be known before the first is taken out: the volumes are described first.
    private func writeInTurn() async throws -> (BundleManifest, [String]) {
        try await describeAll()
        guard let manifest = try creation.manifest(layout) else { throw CommandFailure(.failed, "A volume was not described.") }
        let files = try await signedFiles(manifest)
        var folders: [String] = []
        var sealed = try creation.sealedMedia()
        let id = BundleID(manifest: BundleDigest.hash(manifest.canonicalBytes))
        for (n, medium) in manifest.media.enumerated() where !sealed.contains(medium.number) {
            let mount = try await place(for: medium, n, manifest, id, isFirst: sealed.isEmpty)
            let needed = layout.bytes(of: medium)
            let folder = MediumFolder(mount: mount, nonce: manifest.nonce)
            try folder.begin()
            let bar = ProgressBar("Writing medium \(medium.number) of \(manifest.media.count)", total: needed, console: console)
            defer { bar.finish() }
            for number in medium.volumes {
                let volume = try await write(number, to: folder, bar, isRecorded: false)
                guard volume == manifest.volumes[number - 1] else { throw SourceError.changed(path: "A source") }
            }
            bar.finish()
            folders.append(try seal(manifest, medium, at: mount, files))
            try creation.recordSealed(medium.number)
            sealed.insert(medium.number)
        }
        return (manifest, folders)
    }

    private func describeAll() async throws {
        let known = try creation.finishedVolumes()
        let missing = layout.draft.volumes.filter { known[$0.number] == nil }
        let bar = ProgressBar("Hashing volumes", total: missing.reduce(0) { $0 + $1.sizeBytes }, console: console)
        defer { bar.finish() }
        for volume in missing {
            let sources = layout.volumes[volume.number - 1]
            let described = try await blocking {
                try VolumeWriter(number: volume.number, sources: sources).describe { bytes in
                    try Task.checkCancellation()
                    bar.advance(by: bytes)
                }
            }
            try creation.record(described)
        }
    }

    /// Where the medium is; asks for it where it is not the one that is there already.
    private func place(
        for medium: BundleManifest.Medium, _ n: Int, _ manifest: BundleManifest, _ id: BundleID, isFirst: Bool
    ) async throws -> String {
        var path = outputs[n % outputs.count]
        var mayUse = n < outputs.count
        while true {
            let folder = MediumFolder(mount: path, nonce: manifest.nonce)
            if (mayUse || folder.isBegun), !folder.isFinished(manifest, id), let free = try? MediumFolder.space(at: path).freeBytes {
                let written = folder.isBegun ? layout.bytes(of: medium) : 0
                if free + written >= layout.bytes(of: medium) { return path }
                console.note(
                    "\(path) has \(DisplayText.bytes(free)) free; medium \(medium.number) needs \(DisplayText.bytes(layout.bytes(of: medium))).")
            }
            guard console.isInputTerminal, console.isErrorTerminal else {
                // A new medium at the same place is known by the folder that it does not have.
                if !mayUse, !folder.isFinished(manifest, id), access(path, W_OK) == 0 {
                    mayUse = true
                    continue
                }
                throw CreationError.nextMedium(number: medium.number, of: manifest.media.count, path: path)
            }
            console.errors(
                "Put in medium \(medium.number) of \(manifest.media.count) (\(DisplayText.bytes(layout.bytes(of: medium)))) at \(path) and press Enter, "
                    + "or type another path: ")
            guard let answer = console.readAnswer() else {
                throw CreationError.nextMedium(number: medium.number, of: manifest.media.count, path: path)
            }
            if !answer.isEmpty { path = HubLocation.absolute(answer) }
            mayUse = true
        }
    }

    // MARK: - Steps

    /// The files beside the manifest. Statements of custody name one another by their hashes, so they stay the same over several runs,
    /// though not every kind of key signs the same twice.
    private func signedFiles(_ manifest: BundleManifest) async throws -> [(path: String, bytes: [UInt8])] {
        try await signer.sign(manifest.canonicalBytes).map { file in
            guard file.path.hasPrefix(CustodyStatement.folder + "/") else { return file }
            let kept = file.path.replacing("/", with: "-")
            if creation.work.has(kept) { return (file.path, try creation.work.read(kept)) }
            try creation.work.write(file.bytes, to: kept)
            return file
        }
    }

    @discardableResult
    private func write(_ number: Int, to folder: MediumFolder, _ bar: ProgressBar, isRecorded: Bool = true) async throws -> BundleManifest.Volume {
        let expected = layout.draft.volumes[number - 1].sizeBytes
        let path = folder.path(of: number)
        var status = stat()
        if isRecorded, let known = try creation.finishedVolumes()[number], stat(path, &status) == 0, Int64(status.st_size) == expected {
            bar.advance(by: expected)
            return known
        }
        let sources = layout.volumes[number - 1]
        let volume = try await blocking {
            try VolumeWriter(number: number, sources: sources).write(to: path) { bytes in
                try Task.checkCancellation()
                bar.advance(by: bytes)
            }
        }
        if isRecorded { try creation.record(volume) }
        return volume
    }

    private func seal(
        _ manifest: BundleManifest, _ medium: BundleManifest.Medium, at mount: String, _ files: [(path: String, bytes: [UInt8])]
    ) throws -> String {
        let folder = MediumFolder(mount: mount, nonce: manifest.nonce)
        let id = BundleID(manifest: BundleDigest.hash(manifest.canonicalBytes))
        // Sealed by a run that ended before it could say so.
        if !folder.isBegun, folder.isFinished(manifest, id) { return folder.finished(manifest, id) }
        return try folder.seal(manifest, medium: medium, files: files, fingerprint: signer.fingerprint)
    }

    private func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await NIOThreadPool.singleton.runIfActive(work)
    }
}
