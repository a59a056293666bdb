import Glibc
import HubCore
import Synchronization

extension GitStore {
    /// Makes ready for one pack that a client pushes.
    ///
    /// - Parameter existing: The repository's objects as the push sees them; the pack may build on them.
    package func makeReceiver(
        for uid: RepositoryUID, existing: GitObjects, limits: ReceiveLimits
    ) throws(GitStoreError) -> PackReceiver {
        try PackReceiver(
            repository: uid, staging: staging, existing: existing, limits: limits, threads: receiveThreads)
    }

    /// Moves a pack out of quarantine into its repository's folder, durably.
    ///
    /// Readers see it once a row names it.
    ///
    /// The pack goes first and its index last, as a pack without an index counts as a leftover. Publishing a pack
    /// again that is there already changes nothing.
    ///
    /// The pack's files stay at least until `received` goes, so hold it until the row is there.
    ///
    /// - Throws: `StorageFailure` when the outcome is unknown, which must end the process; `GitStoreError.diskFull`.
    package func publish(_ received: ReceivedPack) throws -> PackDescription {
        let name = "pack-\(received.description.id)"
        let folder = packFolder(of: received.repository)
        let pin = pins.pin(PackPins.Key(repository: received.repository, pack: received.description.id))
        received.folder.pin.withLock { $0 = pin }
        try createDurably(folder, of: received.repository)
        if try isPublished(received.description, folder: folder) {
            // What sweeps files that no row names goes by their age.
            for suffix in ["pack", "idx"] { try DurableFile.touch("\(folder)/\(name).\(suffix)") }
        } else {
            for suffix in ["pack", "idx"] { try DurableFile.seal("\(received.folder.path)/\(name).\(suffix)") }
            for suffix in ["pack", "idx"] {
                let target = "\(folder)/\(name).\(suffix)"
                guard rename("\(received.folder.path)/\(name).\(suffix)", target) == 0 else {
                    throw GitStoreError.system("publish a pack")
                }
            }
        }
        try DurableFile.synchronize(folder: folder)
        return received.description
    }

    private func isPublished(_ description: PackDescription, folder: String) throws(GitStoreError) -> Bool {
        var status = stat()
        guard stat("\(folder)/pack-\(description.id).idx", &status) == 0 else { return false }
        guard stat("\(folder)/pack-\(description.id).pack", &status) == 0 else { return false }
        return Int64(status.st_size) == description.sizeBytes
    }

    /// Makes the repository's folders, and a `HEAD` and `refs` so that git takes it for a bare repository; its refs
    /// are rows.
    ///
    /// Folders that are there may stem from a process that was killed before it had made them durable, so the first
    /// push of each process does it anyway.
    private func createDurably(_ folder: String, of uid: RepositoryUID) throws {
        if durableFolders.withLock({ $0.contains(uid) }), Folder.exists(folder) { return }
        let repository = repositoryFolder(of: uid)
        try Folder.create(folder)
        try Folder.create(repository + "/refs")
        if let head = try? OutputFile(creating: repository + "/HEAD") {
            try head.append(Array("ref: refs/heads/main\n".utf8))
        }
        // Each folder's name is an entry of the one above, up to the root, which was there before.
        let shard = DurableFile.parent(of: repository)
        for path in [repository + "/objects", repository, shard, DurableFile.parent(of: shard)] {
            try DurableFile.synchronize(folder: path)
        }
        durableFolders.withLock { folders in
            // Bounded: what is forgotten costs a few system calls more.
            if folders.count >= 100_000 { folders.removeAll() }
            folders.insert(uid)
        }
    }
}

/// What makes files and folders survive a power cut.
enum DurableFile {
    /// Makes a file read-only and waits until it is on the disk.
    static func seal(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw GitStoreError.system("open a file") }
        defer { close(descriptor) }
        guard fchmod(descriptor, 0o440) == 0 else { throw GitStoreError.system("change a file's mode") }
        try synchronize(descriptor, "fsync of a pack")
    }

    /// Sets a file's time to now.
    static func touch(_ path: String) throws {
        guard utimensat(AT_FDCWD, path, nil, 0) == 0 else { throw GitStoreError.system("touch a file") }
    }

    static func synchronize(folder path: String) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw GitStoreError.system("open a folder") }
        defer { close(descriptor) }
        try synchronize(descriptor, "fsync of a folder of packs")
    }

    /// Delayed allocation may find the disk full only now, which is a refusal; all else leaves open what is on the
    /// disk.
    private static func synchronize(_ descriptor: Int32, _ operation: String) throws {
        while fsync(descriptor) != 0 {
            switch errno {
            case EINTR: continue
            case ENOSPC, EDQUOT: throw GitStoreError.diskFull
            default: throw StorageFailure(operation: operation, code: errno)
            }
        }
    }

    static func parent(of path: String) -> String { String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]) }
}
