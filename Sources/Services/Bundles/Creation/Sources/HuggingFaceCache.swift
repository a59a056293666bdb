import BundleFormat
import Glibc
import HubCore

/// The cache of huggingface_hub.
///
///     models--Qwen--Qwen3-8B/
///       blobs/<etag>                 content: SHA-256 of a large file, SHA-1 of the git blob of another
///       refs/main                    the commit
///       snapshots/<commit>/<path>    links to blobs
///
/// Source: huggingface_hub `docs/source/en/guides/manage-cache.md`, `file_download.py`.
enum HuggingFaceCache {
    private static let kinds: [(prefix: String, kind: RepositoryKind)] = [
        ("models--", .model), ("datasets--", .dataset), ("spaces--", .space),
    ]

    /// Every repository in a cache, which `path` is or has as its folder `hub`.
    static func all(in path: String) throws(CreationError) -> [Snapshot] {
        var root = path
        if !(try hasRepositories(root)), FolderFiles.isFolder("\(path)/hub") { root = "\(path)/hub" }
        guard try hasRepositories(root) else { return [] }
        var snapshots: [Snapshot] = []
        for name in try FolderFiles.names(in: root) {
            guard let reference = reference(name), let found = try snapshot(at: "\(root)/\(name)", as: reference) else { continue }
            snapshots.append(found)
        }
        return snapshots
    }

    private static func hasRepositories(_ path: String) throws(CreationError) -> Bool {
        guard FolderFiles.isFolder(path) else { throw .badSource(path, reason: "is not a folder") }
        return try FolderFiles.names(in: path).contains { reference($0) != nil }
    }

    /// `models--Qwen--Qwen3-8B`. Ids of one part, `models--gpt2`, have no owner and are left to an alias.
    static func reference(_ folder: String) -> RepositoryReference? {
        for (prefix, kind) in kinds where folder.hasPrefix(prefix) {
            let parts = folder.dropFirst(prefix.count).split(separator: "--", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = try? RepositoryName(parsing: "\(parts[0])/\(parts[1])") else { return nil }
            return RepositoryReference(kind: kind, name: name)
        }
        return nil
    }

    /// The snapshot at a folder of one repository or of one revision; `nil` when it is neither.
    static func snapshot(at path: String, as reference: RepositoryReference) throws(CreationError) -> Snapshot? {
        let path = FolderFiles.resolved(path) ?? path
        let parts = path.split(separator: "/").map(String.init)
        if parts.count >= 3, parts[parts.count - 2] == "snapshots", FolderFiles.isFolder("\(path)/../../blobs") {
            let repository = "/" + parts.dropLast(2).joined(separator: "/")
            return try snapshot(of: parts[parts.count - 1], in: repository, as: reference, notes: [])
        }
        guard FolderFiles.isFolder("\(path)/snapshots"), FolderFiles.isFolder("\(path)/blobs") else { return nil }
        let revisions = try FolderFiles.names(in: "\(path)/snapshots").filter { FolderFiles.isFolder("\(path)/snapshots/\($0)") }
        let main = FolderFiles.text("\(path)/refs/main").map { String($0.prefix { !$0.isNewline }) }
        let newest = revisions.max { (FolderFiles.modified("\(path)/snapshots/\($0)") ?? 0) < (FolderFiles.modified("\(path)/snapshots/\($1)") ?? 0) }
        guard let revision = revisions.first(where: { $0 == main }) ?? newest else {
            throw .badSource(path, reason: "has no revision in its cache; download it again")
        }
        let others = revisions.count - 1
        return try snapshot(
            of: revision, in: path, as: reference,
            notes: others > 0 ? ["\(reference.name): took revision \(revision.prefix(12)), left out \(others) older in the cache."] : [])
    }

    private static func snapshot(
        of revision: String, in repository: String, as reference: RepositoryReference, notes: [String]
    ) throws(CreationError) -> Snapshot {
        let root = "\(repository)/snapshots/\(revision)"
        var files: [Snapshot.File] = []
        var folders = [""]
        while let folder = folders.popLast() {
            for name in try FolderFiles.names(in: "\(root)/\(folder)") {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                var status = stat()
                guard lstat("\(root)/\(path)", &status) == 0 else { throw .badSource(path, reason: "went away while the cache was read") }
                switch status.st_mode & S_IFMT {
                case S_IFDIR: folders.append(path)
                case S_IFREG: files.append(FolderFiles.file(path, "\(root)/\(path)", status))
                case S_IFLNK: files.append(try linked(path, in: root, repository: repository))
                default: throw .badSource("\(root)/\(path)", reason: "is neither a file nor a link to one")
                }
            }
        }
        guard !files.isEmpty else { throw .badSource(root, reason: "has no files; download the revision again") }
        let isCommit = GitOID(hex: revision) != nil
        let upstream = BundleRepository.Upstream(
            kind: "huggingface", revision: isCommit ? revision : nil, fetched: FolderFiles.modified(root).map(UTCTime.text))
        return Snapshot(reference: reference, files: files, upstream: upstream, notes: notes)
    }

    /// A link must lead into the cache of the same repository.
    private static func linked(_ path: String, in root: String, repository: String) throws(CreationError) -> Snapshot.File {
        var status = stat()
        guard let target = FolderFiles.resolved("\(root)/\(path)"), stat(target, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .badSource("\(root)/\(path)", reason: "is not whole in the cache; download the revision again")
        }
        guard target.hasPrefix("\(repository)/blobs/") else {
            throw .badSource("\(root)/\(path)", reason: "leads out of the cache of its repository")
        }
        let etag = target.split(separator: "/").last ?? ""
        let claimed = ObjectID(hex: etag)
        var file = FolderFiles.file(path, target, status)
        file.isExecutable = false
        file.claimed = claimed
        file.isLarge = claimed != nil ? true : GitOID(hex: etag) != nil ? false : nil
        return file
    }
}

/// A folder that `hf download --local-dir` filled: `.cache/huggingface/download/<path>.metadata` has the commit, the ETag and the time
/// of each file, a line each.
enum LocalDirectory {
    private static let metadata = ".cache/huggingface/download"

    static func snapshot(at path: String, as reference: RepositoryReference) throws(CreationError) -> Snapshot? {
        guard FolderFiles.isFolder("\(path)/\(metadata)") else { return nil }
        var files = try FolderFiles.all(in: path) { $0 == ".cache/huggingface" || $0 == ".huggingface" }
        var commits: Set<String> = []
        var latest: Double = 0
        for index in files.indices {
            let lines = FolderFiles.text("\(path)/\(metadata)/\(files[index].path).metadata")?.split(separator: "\n") ?? []
            guard lines.count >= 3, GitOID(hex: lines[0]) != nil, let time = Double(lines[2]) else { continue }
            // What was changed after the download is not what upstream has under that name.
            guard let modified = FolderFiles.modified(files[index].source), Double(modified) <= time + 1 else { continue }
            commits.insert(String(lines[0]))
            latest = max(latest, time)
            files[index].claimed = ObjectID(hex: lines[1])
            files[index].isLarge = files[index].claimed != nil ? true : GitOID(hex: lines[1]) != nil ? false : nil
        }
        let notes = commits.count > 1 ? ["\(reference.name): its files come from \(commits.count) commits, so no upstream commit is named."] : []
        let upstream = BundleRepository.Upstream(
            kind: "huggingface", revision: commits.count == 1 ? commits.first : nil,
            fetched: latest > 0 && latest < 1e11 ? UTCTime.text(Int64(latest)) : nil)
        return Snapshot(reference: reference, files: files, upstream: upstream, notes: notes)
    }
}
