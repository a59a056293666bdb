import FoundationEssentials
import Glibc
import HubCore
import NIOCore
import NIOPosix

/// A file below a folder that is to be uploaded.
struct LocalFile: Hashable, Sendable {
    /// Below the folder, with `/`.
    let path: String
    let sizeBytes: Int64
    let isExecutable: Bool
}

/// The files below a folder, in the order of their paths. Follows no links and skips `.git`.
struct FolderScan {
    let files: [LocalFile]

    private static let maximumFiles = 1_000_000

    /// - Throws: `CommandFailure` that names a file which cannot be uploaded, and says what to do.
    init(folder: String) throws {
        var status = stat()
        guard stat(folder, &status) == 0 else {
            throw CommandFailure(.badData, "There is no folder \(folder).")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw CommandFailure(.badData, "\(folder) is not a folder; upload takes the folder that has the files.")
        }
        var found: [LocalFile] = []
        var folders = [""]
        while let next = folders.popLast() {
            for name in try Self.names(in: folder + "/" + next) where name.lowercased() != ".git" {
                let path = next.isEmpty ? name : next + "/" + name
                switch try Self.entry(path, in: folder) {
                case .folder: folders.append(path)
                case .file(let file): found.append(file)
                }
                guard found.count <= Self.maximumFiles else {
                    throw CommandFailure(
                        .badData, "\(folder) has more than \(Self.maximumFiles) files; pack them or split the folder.")
                }
            }
        }
        files = found.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private enum Entry {
        case folder
        case file(LocalFile)
    }

    private static func entry(_ path: String, in folder: String) throws -> Entry {
        var status = stat()
        guard lstat(folder + "/" + path, &status) == 0 else {
            throw CommandFailure(
                .badData,
                "\(DisplayText.safe(path)) went away while the folder was being read; try again when it is at rest.")
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return .folder
        case S_IFREG:
            return .file(
                LocalFile(path: path, sizeBytes: Int64(status.st_size), isExecutable: status.st_mode & S_IXUSR != 0))
        case S_IFLNK:
            throw CommandFailure(
                .badData,
                "\(DisplayText.safe(path)) is a symbolic link, which upload does not follow; put the file itself there (cp -L) or "
                    + "remove the link.")
        default:
            throw CommandFailure(.badData, "\(DisplayText.safe(path)) is neither a file nor a folder; remove it.")
        }
    }

    /// Names in a folder that git can hold and every system can check out.
    private static func names(in folder: String) throws -> [String] {
        guard let stream = opendir(folder) else {
            throw CommandFailure(
                .badData, "The folder \(DisplayText.safe(folder)) cannot be read; see that it is yours.")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let bytes = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if bytes == [UInt8(ascii: ".")] || bytes == Array("..".utf8) { continue }
            guard let name = String(validating: bytes, as: UTF8.self) else {
                throw CommandFailure(
                    .badData,
                    "\(DisplayText.safe(folder)) has a file whose name is not UTF-8: "
                        + "\(DisplayText.safe(String(decoding: bytes, as: UTF8.self))). Rename it.")
            }
            guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw CommandFailure(
                    .badData, "The name \(DisplayText.safe(name)) has a control character; rename the file.")
            }
            names.append(name)
        }
        return names
    }
}

/// A local file that is read piece by piece on threads of its own.
final class LocalFileReader: Sendable {
    private let descriptor: Int32

    private static let pieceBytes = 1 << 20

    init(path: String) throws {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            let reader = geteuid() == getuid() ? "you" : "the hub's own user"
            throw CommandFailure(
                .badData, "\(DisplayText.safe(path)) cannot be read; see that it exists and that \(reader) may read it."
            )
        }
        // Advice only.
        _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    deinit { close(descriptor) }

    var sizeBytes: Int64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int64(status.st_size) : -1
    }

    /// Calls `each` with the pieces of the file in turn.
    func read(_ each: @Sendable (ByteBuffer) async throws -> Void) async throws {
        while true {
            try Task.checkCancellation()
            let piece = try await NIOThreadPool.singleton.runIfActive { [descriptor] in try Self.piece(of: descriptor) }
            if piece.readableBytes == 0 { return }
            try await each(piece)
        }
    }

    private static func piece(of descriptor: Int32) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: pieceBytes)
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: pieceBytes) { bytes in
            while true {
                let count = Glibc.read(descriptor, bytes.baseAddress, min(bytes.count, pieceBytes))
                if count >= 0 { return count }
                guard errno == EINTR else {
                    throw CommandFailure(.failed, "A file cannot be read: \(String(cString: strerror(errno))).")
                }
            }
        }
        return buffer
    }
}
