import GitStore
import HubCore
import Repositories

/// A file or folder of a revision, as clients see it: what is a pointer in git is the large object that it stands for.
package struct FileEntry: Sendable {
    package let path: String
    package let mode: UInt32
    /// Of the blob or tree; of the pointer, for a large object.
    package let oid: GitOID
    /// The blob's size; the pointer's, for a large object.
    package let blobBytes: Int64
    package let pointer: LFSPointer?

    package var isFolder: Bool { GitFileMode.isTree(mode) }
    /// The size of the content.
    package var sizeBytes: Int64 { pointer?.sizeBytes ?? blobBytes }
    /// What tells one content from another: clients name their cached files by it.
    package var etag: String { pointer?.oid.hex ?? oid.hex }
}

extension RevisionView {
    /// Sizes and pointers of entries. Blocking work runs on git's threads.
    ///
    /// A pointer whose object the repository does not have is a file like others. Submodules are left out.
    package func files(_ entries: [ListedEntry], _ services: HubServices) async throws -> [FileEntry] {
        let objects = objects
        let files = try await services.git.threads.run { try entries.compactMap { try Self.file($0, in: objects) } }
        let pointers = files.compactMap(\.pointer?.oid)
        guard !pointers.isEmpty else { return files }
        let present = try await services.lfs.sizes(of: pointers, in: repository)
        return files.map { file in
            guard let pointer = file.pointer, present[pointer.oid] != pointer.sizeBytes else { return file }
            return FileEntry(path: file.path, mode: file.mode, oid: file.oid, blobBytes: file.blobBytes, pointer: nil)
        }
    }

    /// What is at `path`; `nil` when nothing is.
    package func file(at path: String, _ services: HubServices) async throws -> FileEntry? {
        let objects = objects
        let commit = commit
        let found = try await services.git.threads.run { try objects.entry(at: path, in: commit) }
        guard let found else { return nil }
        let entry = ListedEntry(path: Array(path.utf8), mode: found.mode, oid: found.oid)
        return try await files([entry], services).first
    }

    private static func file(_ entry: ListedEntry, in objects: GitObjects) throws -> FileEntry? {
        if entry.isGitlink { return nil }
        if entry.isTree { return FileEntry(path: entry.name, mode: entry.mode, oid: entry.oid, blobBytes: 0, pointer: nil) }
        guard let header = try objects.header(of: entry.oid) else { throw GitStoreError.missing(entry.oid) }
        var pointer: LFSPointer?
        if GitFileMode.isRegularFile(entry.mode), header.sizeBytes <= Int64(LFSPointer.maximumByteCount) {
            pointer = LFSPointer(parsing: try objects.read(entry.oid, limit: Int64(LFSPointer.maximumByteCount)).bytes)
        }
        return FileEntry(
            path: entry.name, mode: entry.mode, oid: entry.oid, blobBytes: header.sizeBytes, pointer: pointer)
    }
}
