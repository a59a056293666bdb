import Glibc
import HubCore
import Synchronization

/// The private folder in which a pack is received or made; removed with all that is left in it when the last
/// reference goes.
///
/// What a killed process leaves is removed when the next one opens the store.
final class QuarantineFolder: Sendable {
    let path: String
    /// Held from publishing on, so that the pack's files stay until whoever published it is done with it.
    let pin = Mutex<PackPin?>(nil)

    init(in staging: String) throws(GitStoreError) {
        // A uid is 16 random bytes, as unique here as it is for repositories.
        path = "\(staging)/\(GitStore.incomingPrefix)\(RepositoryUID())"
        guard mkdir(path, 0o750) == 0 else { throw .system("make a folder") }
    }

    deinit {
        // A folder that cannot be removed now is removed at the next start.
        try? Folder.remove(path)
    }
}

extension QuarantineFolder {
    /// Renames a file inside the folder.
    func rename(_ name: String, to newName: String) throws(GitStoreError) {
        guard Glibc.rename("\(path)/\(name)", "\(path)/\(newName)") == 0 else { throw .system("rename a file") }
    }
}
