import Glibc
import HubCore
import Synchronization

/// The git objects of all repositories: packs in folders, opened by the descriptions that rows of the database hold.
///
///     <root>/<ab>/<repository uid>.git/objects/pack/pack-<checksum>.pack, .idx
///
/// It knows neither refs nor which packs are valid: readers name the packs. All calls block; run them on `threads`.
package final class GitStore: Sendable {
    package let threads: GitThreads
    private let root: String
    /// Where quarantined and unfinished files lie, in the same file system as the packs.
    let staging: String
    private let snapshots = Mutex(SnapshotCache())
    let receiveThreads = ReceiveThreads()
    let pins = PackPins()
    /// Repositories whose folders this process has made durable.
    let durableFolders = Mutex<Set<RepositoryUID>>([])

    /// Removes what an earlier process left unfinished in `staging`.
    ///
    /// - Parameters:
    ///   - root: The folder `git` of the data directory.
    ///   - staging: The folder `staging` of the data directory.
    package init(root: String, staging: String, threads: GitThreads) throws {
        self.root = root
        self.staging = staging
        self.threads = threads
        try Folder.create(root)
        try Folder.create(staging)
        for name in try Folder.names(in: staging) where name.hasPrefix(Self.incomingPrefix) {
            try Folder.remove("\(staging)/\(name)")
        }
    }

    static let incomingPrefix = "incoming-"

    /// The folder of a repository's packs; it may not exist yet.
    func packFolder(of uid: RepositoryUID) -> String { repositoryFolder(of: uid) + "/objects/pack" }

    func repositoryFolder(of uid: RepositoryUID) -> String { "\(root)/\(uid.text.prefix(2))/\(uid.text).git" }

    /// The objects of exactly these packs.
    ///
    /// Open packs are shared between calls and stay readable for as long as a `GitObjects` refers to them, also when their files
    /// are removed meanwhile.
    package func objects(of uid: RepositoryUID, packs: [PackDescription]) throws(GitStoreError) -> GitObjects {
        let key = SnapshotKey(uid: uid, packs: packs)
        let (cached, open) = snapshots.withLock { ($0.snapshot(for: key), $0.openPacks(of: uid)) }
        if let cached { return cached }
        var opened: [Pack] = []
        for description in packs {
            if let pack = open[description.id] {
                opened.append(pack)
            } else {
                opened.append(try Pack(description, folder: packFolder(of: uid)))
            }
        }
        let objects = try GitObjects(packs: packs, opened: opened)
        return snapshots.withLock { $0.insert(objects, for: key) }
    }

    /// Removes files of packs that no row names any more.
    ///
    /// A pack that is not there is no error.
    package func remove(packs: [PackID], of uid: RepositoryUID) throws {
        snapshots.withLock { $0.forget(uid) }
        let folder = packFolder(of: uid)
        for id in packs {
            _ = try pins.removing(PackPins.Key(repository: uid, pack: id)) { () throws(GitStoreError) in
                // The index first: a pack without one is what start-up and sweeps take for a leftover.
                for path in ["\(folder)/pack-\(id).idx", "\(folder)/pack-\(id).pack"] {
                    guard unlink(path) == 0 || errno == ENOENT else { throw .system("remove a pack") }
                }
            }
        }
    }

    /// Removes everything of a repository.
    ///
    /// One that is not there is no error.
    package func removeRepository(_ uid: RepositoryUID) throws {
        snapshots.withLock { $0.forget(uid) }
        try Folder.remove(repositoryFolder(of: uid))
    }

    /// The packs that lie in a repository's folder, with the time of their last change, whether or not a row names them.
    ///
    /// - Returns: One entry for each checksum of which a `.pack` or an `.idx` file is there; seconds since 1970.
    package func packFiles(of uid: RepositoryUID) throws -> [(id: PackID, modified: Int64)] {
        let folder = packFolder(of: uid)
        guard Folder.exists(folder) else { return [] }
        var newest: [PackID: Int64] = [:]
        for name in try Folder.names(in: folder) {
            guard name.hasPrefix("pack-"), name.hasSuffix(".pack") || name.hasSuffix(".idx"),
                let oid = GitOID(hex: name.dropFirst(5).prefix(while: { $0 != "." }))
            else { continue }
            var status = stat()
            // A file that has gone since the folder was read is simply not there.
            guard stat("\(folder)/\(name)", &status) == 0 else { continue }
            newest[PackID(oid)] = max(newest[PackID(oid)] ?? .min, Int64(status.st_mtim.tv_sec))
        }
        return newest.map { (id: $0.key, modified: $0.value) }.sorted { $0.id.oid < $1.id.oid }
    }

    /// The repositories that have a folder, for sweeping those that no row names.
    package func repositoryFolders() throws -> [RepositoryUID] {
        try Folder.names(in: root).flatMap { shard in
            try Folder.names(in: "\(root)/\(shard)").compactMap { name in
                name.hasSuffix(".git") ? RepositoryUID(trusted: String(name.dropLast(4))) : nil
            }
        }
    }
}
