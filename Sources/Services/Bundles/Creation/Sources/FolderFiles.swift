import BundleFormat
import Glibc
import HubCore

/// Lists the files below a folder.
enum FolderFiles {
    private static let maximumFiles = 1_000_000
    private static let maximumDepth = 64

    /// All regular files but those that `isSkipped` names and `.git`. Follows no links.
    ///
    /// - Throws: `CreationError.badSource` that names what cannot be taken and says what to do.
    static func all(in root: String, isSkipped: (String) -> Bool = { _ in false }) throws(CreationError) -> [Snapshot.File] {
        guard mode(root, followsLink: true) == S_IFDIR else { throw .badSource(root, reason: "is not a folder") }
        var files: [Snapshot.File] = []
        var folders = [""]
        while let folder = folders.popLast() {
            for name in try names(in: folder.isEmpty ? root : "\(root)/\(folder)") {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                guard name.lowercased() != ".git", !isSkipped(path) else { continue }
                var status = stat()
                guard lstat("\(root)/\(path)", &status) == 0 else { throw .badSource(path, reason: "went away while the folder was read") }
                switch status.st_mode & S_IFMT {
                case S_IFDIR:
                    guard path.split(separator: "/").count < maximumDepth else { throw .badSource(path, reason: "lies too deep") }
                    folders.append(path)
                case S_IFREG: files.append(file(path, "\(root)/\(path)", status))
                case S_IFLNK:
                    throw .badSource(path, reason: "is a symbolic link, which is not followed; put the file itself there (cp -L) or remove it")
                default: throw .badSource(path, reason: "is neither a file nor a folder; remove it")
                }
                guard files.count <= maximumFiles else { throw .badSource(root, reason: "has more than \(maximumFiles) files") }
            }
        }
        return files
    }

    static func file(_ path: String, _ source: String, _ status: stat) -> Snapshot.File {
        Snapshot.File(path: path, source: source, sizeBytes: Int64(status.st_size), isExecutable: status.st_mode & S_IXUSR != 0)
    }

    /// The names in a folder, sorted; they must be such as every system can check out.
    static func names(in path: String) throws(CreationError) -> [String] {
        guard let stream = opendir(path) else { throw .badSource(path, reason: "cannot be read: \(SystemText.of(errno))") }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let bytes = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if bytes == Array(".".utf8) || bytes == Array("..".utf8) { continue }
            guard let name = String(validating: bytes, as: UTF8.self), bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw .badSource(path, reason: "has a file whose name is not UTF-8 or has a control character; rename it")
            }
            names.append(name)
            guard names.count <= maximumFiles else { throw .badSource(path, reason: "has more than \(maximumFiles) files") }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    static func mode(_ path: String, followsLink: Bool) -> mode_t? {
        var status = stat()
        guard (followsLink ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
        return status.st_mode & S_IFMT
    }

    static func isFolder(_ path: String) -> Bool { mode(path, followsLink: true) == S_IFDIR }

    /// The path with every link resolved; `nil` when there is nothing.
    static func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    /// A small text file; `nil` when it is not there or is no small text.
    static func text(_ path: String, limit: Int = 64 << 10) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        let count = fread(&bytes, 1, bytes.count, file)
        guard count <= limit else { return nil }
        return String(validating: bytes[..<count], as: UTF8.self)
    }

    static func modified(_ path: String) -> Int64? {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_mtim.tv_sec) : nil
    }
}
