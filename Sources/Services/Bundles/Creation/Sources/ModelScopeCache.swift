import BundleFormat
import Glibc
import HubCore

/// The cache of ModelScope: `[hub/][models/|datasets/]<owner>/<name>/` with the files as they are and the hidden files `.msc`, `.mdl`
/// and `.mv`, the last of which has the revision: `Revision:master,CreatedAt:1700000000`.
///
/// A dot in a name is written `___` in the folder's name. Source: modelscope `hub/utils/caching.py`, `hub/snapshot_download.py`.
enum ModelScopeCache {
    private static let hidden: Set<String> = [".msc", ".mdl", ".mv", "._____temp", ".lock"]

    static func snapshot(at path: String, as reference: RepositoryReference) throws(CreationError) -> Snapshot? {
        guard FolderFiles.mode("\(path)/.msc", followsLink: false) == S_IFREG || FolderFiles.mode("\(path)/.mv", followsLink: false) == S_IFREG
        else { return nil }
        let files = try FolderFiles.all(in: path) { hidden.contains($0) }
        let fields = (FolderFiles.text("\(path)/.mv") ?? "").split(separator: ",").map { $0.split(separator: ":", maxSplits: 1).map(String.init) }
        let revision = fields.first { $0.count == 2 && $0[0] == "Revision" }?[1]
        let created = fields.first { $0.count == 2 && $0[0] == "CreatedAt" }.flatMap { Int64($0[1]) }
        let upstream = BundleRepository.Upstream(
            kind: "modelscope", revision: revision, fetched: created.flatMap { (0..<100_000_000_000).contains($0) ? UTCTime.text($0) : nil })
        return Snapshot(reference: reference, files: files, upstream: upstream)
    }

    static func all(in path: String) throws(CreationError) -> [Snapshot] {
        var snapshots: [Snapshot] = []
        var seen: Set<String> = []
        for base in ["", "/hub"] {
            for (folder, kind) in [("", RepositoryKind.model), ("/models", .model), ("/datasets", .dataset)] {
                for (root, reference) in try repositories(in: path + base + folder, kind: kind) {
                    guard let real = FolderFiles.resolved(root), seen.insert(real).inserted else { continue }
                    if let found = try snapshot(at: real, as: reference) { snapshots.append(found) }
                }
            }
        }
        return snapshots
    }

    private static func repositories(in path: String, kind: RepositoryKind) throws(CreationError) -> [(String, RepositoryReference)] {
        guard FolderFiles.isFolder(path) else { return [] }
        var found: [(String, RepositoryReference)] = []
        for owner in try FolderFiles.names(in: path) where !owner.hasPrefix(".") && FolderFiles.isFolder("\(path)/\(owner)") {
            for folder in try FolderFiles.names(in: "\(path)/\(owner)") where FolderFiles.mode("\(path)/\(owner)/\(folder)", followsLink: false) == S_IFDIR {
                let name = folder.replacing("___", with: ".")
                guard let name = try? RepositoryName(parsing: "\(owner)/\(name)") else { continue }
                found.append(("\(path)/\(owner)/\(folder)", RepositoryReference(kind: kind, name: name)))
            }
        }
        return found
    }
}
