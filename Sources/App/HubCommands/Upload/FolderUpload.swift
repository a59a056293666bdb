import FoundationEssentials
import HTTPTypes
import HubAPI
import HubCore
import NIOCore
import ObjectStore
import Synchronization

/// Commits the files of a local folder: large ones as LFS objects, the rest inline.
///
/// Objects go first, one by one; what the repository has already is not sent again, so a second run takes up where the first
/// stopped. The commit comes last and is all or nothing.
struct FolderUpload: Sendable {
    let client: HubClient
    let console: Console
    let folder: String
    let reference: RepositoryReference
    let branch: String
    let message: String

    private struct LargeFile: Sendable {
        let file: LocalFile
        let oid: ObjectID
    }

    /// What became of it.
    struct Outcome: Sendable {
        /// What the branch is at now.
        let commit: String
        /// The branch had all of it already.
        let isUnchanged: Bool
        let fileCount: Int
        let largeCount: Int
        let sentBytes: Int64
    }

    func run() async throws -> Outcome {
        let files = try FolderScan(folder: folder).files
        guard !files.isEmpty else { throw CommandFailure(.badData, "\(folder) has no files.") }
        let plan = try await plan(files)
        let large = try await hash(plan.large)
        let missing = try await missing(large)
        try await send(missing)
        let made = try await commit(plan, large)
        let commit = if let made { made } else { try await head() }
        return Outcome(
            commit: commit, isUnchanged: made == nil, fileCount: files.count, largeCount: large.count,
            sentBytes: missing.reduce(0) { $0 + $1.file.sizeBytes })
    }

    // MARK: - What goes where

    private struct Plan: Sendable {
        let large: [LocalFile]
        let inline: [LocalFile]
        /// The `.gitattributes` at the top, when it must be written anew.
        let attributes: String?
    }

    private func plan(_ files: [LocalFile]) async throws -> Plan {
        let local = try await localAttributes(files)
        let stored = try await storedAttributes()
        var top = local[""] ?? stored ?? LargeFilePatterns.attributes(for: reference.kind)
        var attributes = GitAttributes()
        for (folder, text) in local { attributes.add(text, in: folder) }
        attributes.add(top, in: "")
        var large: [LocalFile] = []
        var inline: [LocalFile] = []
        for file in files {
            let name = file.path.split(separator: "/").last ?? ""
            if name == GitAttributes.fileName {
                if file.path != GitAttributes.fileName { inline.append(file) }
            } else if file.sizeBytes > 0, attributes.isLargeFile(file.path) {
                large.append(file)
            } else if file.sizeBytes >= LargeFilePatterns.thresholdBytes {
                large.append(file)
                if !top.isEmpty, !top.hasSuffix("\n") { top += "\n" }
                top += GitAttributes.line(for: file.path) + "\n"
            } else {
                inline.append(file)
            }
        }
        let isNeeded = local[""] != nil || !large.isEmpty
        return Plan(large: large, inline: inline, attributes: isNeeded && top != stored ? top : nil)
    }

    /// The texts of all `.gitattributes` by their folders.
    private func localAttributes(_ files: [LocalFile]) async throws -> [String: String] {
        var texts: [String: String] = [:]
        for file in files where file.path == GitAttributes.fileName || file.path.hasSuffix("/" + GitAttributes.fileName)
        {
            let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
            texts[folder] = String(decoding: try await content(of: file), as: UTF8.self)
        }
        return texts
    }

    private func storedAttributes() async throws -> String? {
        do {
            let body = Mutex(ByteBuffer())
            try await client.download(
                reference.apiPath + ["file"], query: [("path", GitAttributes.fileName), ("revision", branch)]
            ) { piece in body.withLock { _ = $0.writeImmutableBuffer(piece) } }
            return String(buffer: body.withLock { $0 })
        } catch let failure as CommandFailure
            where failure.code == "revision_not_found" || failure.code == "file_not_found"
        {
            return nil
        }
    }

    // MARK: - Large files

    private func hash(_ files: [LocalFile]) async throws -> [LargeFile] {
        let bar = ProgressBar("Hashing", total: files.reduce(0) { $0 + $1.sizeBytes }, console: console)
        defer { bar.finish() }
        var hashed: [LargeFile] = []
        for file in files {
            let digest = try SHA256Digest()
            try await reader(of: file).read { piece in
                try piece.withUnsafeReadableBytes { try digest.update($0) }
                bar.advance(by: Int64(piece.readableBytes))
            }
            hashed.append(LargeFile(file: file, oid: try digest.finish()))
        }
        return hashed
    }

    private func missing(_ files: [LargeFile]) async throws -> [LargeFile] {
        var wanted: Set<String> = []
        for start in stride(from: 0, to: files.count, by: 1000) {
            let some = files[start..<min(start + 1000, files.count)]
            let asked = ObjectListModel(
                objects: some.map { ObjectModel(oid: $0.oid.hex, sizeBytes: $0.file.sizeBytes) })
            let answer: ObjectListModel = try await client.send(
                .post, reference.apiPath + ["objects", "missing"], asked)
            wanted.formUnion(answer.objects.map(\.oid))
        }
        // Each object once, however many files have it.
        return files.filter { wanted.remove($0.oid.hex) != nil }
    }

    private func send(_ files: [LargeFile]) async throws {
        let bar = ProgressBar("Uploading", total: files.reduce(0) { $0 + $1.file.sizeBytes }, console: console)
        defer { bar.finish() }
        for large in files {
            let reader = try reader(of: large.file)
            let _: ObjectModel = try await client.upload(
                reference.apiPath + ["objects", large.oid.hex], length: large.file.sizeBytes
            ) { write in
                try await reader.read { piece in
                    try await write(piece)
                    bar.advance(by: Int64(piece.readableBytes))
                }
            }
        }
    }

    // MARK: - The commit

    /// The id of the commit, or `nil` when the branch has all of it already.
    private func commit(_ plan: Plan, _ large: [LargeFile]) async throws -> String? {
        do {
            let made: CommitModel = try await client.stream(
                reference.apiPath + ["commits"], query: [("branch", branch)]
            ) {
                write in try await writeLines(plan, large, write)
            }
            return made.commit
        } catch let failure as CommandFailure where failure.code == "nothing_to_commit" {
            return nil
        }
    }

    private func head() async throws -> String {
        let name = "refs/heads/\(branch)"
        let page: ListPage<ReferenceModel> = try await client.get(
            reference.apiPath + ["references"], query: [("prefix", name), ("limit", "1")])
        guard let found = page.items.first, found.name == name else {
            throw CommandFailure(.failed, "\(branch) went away while the folder was being uploaded; try again.")
        }
        return found.oid
    }

    private func writeLines(
        _ plan: Plan, _ large: [LargeFile], _ write: @Sendable (ByteBuffer) async throws -> Void
    ) async throws {
        func send(_ line: CommitLine) async throws {
            var bytes = try JSONForm.encode(line)
            bytes.writeInteger(UInt8(ascii: "\n"))
            try await write(bytes)
        }
        try await send(CommitLine(header: .init(message: message)))
        if let attributes = plan.attributes {
            let content = Data(attributes.utf8).base64EncodedString()
            try await send(CommitLine(file: .init(path: GitAttributes.fileName, content: content)))
        }
        for large in large {
            try await send(
                CommitLine(lfsFile: .init(path: large.file.path, oid: large.oid.hex, sizeBytes: large.file.sizeBytes)))
        }
        for file in plan.inline {
            let bytes = try await content(of: file)
            guard LFSPointer(parsing: bytes) == nil else {
                throw CommandFailure(
                    .badData,
                    "\(file.path) is a Git LFS pointer, not the large file itself; run “git lfs pull” in the folder first."
                )
            }
            let content = Data(bytes).base64EncodedString()
            try await send(CommitLine(file: .init(path: file.path, content: content, isExecutable: file.isExecutable)))
        }
    }

    // MARK: - Reading

    private func reader(of file: LocalFile) throws -> LocalFileReader {
        let reader = try LocalFileReader(path: folder + "/" + file.path)
        guard reader.sizeBytes == file.sizeBytes else {
            throw CommandFailure(
                .badData, "\(file.path) changed while the folder was being uploaded; try again when it is at rest.")
        }
        return reader
    }

    private func content(of file: LocalFile) async throws -> [UInt8] {
        let body = Mutex<[UInt8]>([])
        try await reader(of: file).read { piece in body.withLock { $0 += piece.readableBytesView } }
        return body.withLock { $0 }
    }
}
