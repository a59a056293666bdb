import FoundationEssentials
import Glibc
import HubAPI
import HubCore
import NIOCore

/// Writes an ordinary bare repository that git reads, with its Git LFS objects where git-lfs looks for them.
///
/// `HEAD` comes last, so that a folder is a repository only when all of it is there. A run that was interrupted is taken up again by
/// the next one with the same folder: files appear under their names only when they are whole.
struct BareRepository: Sendable {
    let folder: String

    private static let marker = "csghub-export-unfinished"

    /// Makes the folder, or takes up an unfinished one.
    /// - Throws: `CommandFailure` when there is something else at the path.
    func begin() throws {
        if mkdir(folder, 0o755) != 0 {
            guard errno == EEXIST else {
                throw CommandFailure(
                    .badData, "The folder \(folder) cannot be made: \(String(cString: strerror(errno))).")
            }
            let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
            guard let names, names.isEmpty || names.contains(Self.marker) else {
                throw CommandFailure(.badData, "\(folder) is there already and is not an empty folder; name a new one.")
            }
        }
        for name in ["objects", "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags"] {
            try makeFolder(name)
        }
        try write("Remove this folder, or repeat the export to complete it.\n", to: Self.marker)
        try write("[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n", to: "config")
    }

    /// Writes the refs and `HEAD`.
    func finish(head: String, references: [ExportLine.Ref]) throws {
        var packed = "# pack-refs with: peeled fully-peeled sorted \n"
        for reference in references.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
            packed += "\(reference.oid) \(reference.name)\n"
            if let peeled = reference.peeled { packed += "^\(peeled)\n" }
        }
        try write(packed, to: "packed-refs")
        try write("ref: \(head)\n", to: "HEAD")
        _ = unlink("\(folder)/\(Self.marker)")
    }

    /// A file of that size is there, from an earlier run.
    func has(_ path: String, sizeBytes: Int64?) -> Bool {
        var status = stat()
        guard stat("\(folder)/\(path)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        return sizeBytes.map { $0 == Int64(status.st_size) } ?? true
    }

    /// Writes a file from pieces that `produce` passes on, under its name once it is whole.
    func fill(_ path: String, sizeBytes: Int64?, _ produce: (_ file: GrowingFile) async throws -> Void) async throws {
        try makeFolders(for: path)
        let temporary = "\(folder)/\(path).unfinished"
        let file = try GrowingFile(path: temporary)
        try await produce(file)
        let size = try file.finish()
        guard sizeBytes == nil || size == sizeBytes else {
            throw CommandFailure(.failed, "\(path) ended early; repeat the export to complete it.")
        }
        guard rename(temporary, "\(folder)/\(path)") == 0 else { throw Self.failure(path) }
    }

    private func makeFolders(for path: String) throws {
        var folder = ""
        for part in path.split(separator: "/").dropLast() {
            folder += (folder.isEmpty ? "" : "/") + part
            try makeFolder(folder)
        }
    }

    private func makeFolder(_ name: String) throws {
        guard mkdir("\(folder)/\(name)", 0o755) == 0 || errno == EEXIST else { throw Self.failure(name) }
    }

    private func write(_ text: String, to name: String) throws {
        let file = try GrowingFile(path: "\(folder)/\(name)")
        try file.append(ByteBuffer(string: text))
        _ = try file.finish()
    }

    static func failure(_ name: String) -> CommandFailure {
        CommandFailure(.failed, "\(name) cannot be written: \(String(cString: strerror(errno))).")
    }
}

/// A new file that pieces are appended to.
final class GrowingFile: Sendable {
    private let descriptor: Int32
    private let name: String

    init(path: String) throws {
        name = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw BareRepository.failure(path) }
    }

    deinit { close(descriptor) }

    func append(_ piece: ByteBuffer) throws {
        try piece.withUnsafeReadableBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                if count > 0 { done += count } else if errno != EINTR { throw BareRepository.failure(name) }
            }
        }
    }

    /// Makes the content durable and returns its size.
    func finish() throws -> Int64 {
        var status = stat()
        guard fsync(descriptor) == 0, fstat(descriptor, &status) == 0 else { throw BareRepository.failure(name) }
        return Int64(status.st_size)
    }
}
