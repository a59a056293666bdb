import Glibc
import HubCore

extension GitStore {
    /// Removes files of packs that no row names, as pushes leave them that lost their race or were cut off by a crash.
    ///
    /// - Parameters:
    ///   - named: The packs of all rows of the repository, read after `packFiles`; replaced ones count.
    ///   - date: Seconds since 1970. Younger files stay, as a push may still be about to name them.
    /// - Returns: the packs that are gone.
    package func removeUnnamedPacks(of uid: RepositoryUID, named: Set<PackID>, before date: Int64) throws -> [PackID] {
        let folder = packFolder(of: uid)
        var removed: [PackID] = []
        for (id, _) in try packFiles(of: uid) where !named.contains(id) {
            // Publishing makes a pack young again, so its age is asked for when nobody can publish it.
            let isGone = try pins.removing(PackPins.Key(repository: uid, pack: id)) { () throws(GitStoreError) in
                for path in ["\(folder)/pack-\(id).idx", "\(folder)/pack-\(id).pack"] {
                    try removeIfOld(path, before: date)
                }
            }
            if isGone, try !packFiles(of: uid).contains(where: { $0.id == id }) { removed.append(id) }
        }
        return removed
    }

    private func removeIfOld(_ path: String, before date: Int64) throws(GitStoreError) {
        var status = stat()
        guard stat(path, &status) == 0, Int64(status.st_mtim.tv_sec) < date else { return }
        guard unlink(path) == 0 || errno == ENOENT else { throw .system("remove a pack") }
    }
}
