import Glibc

/// Folders of the store: made, listed and removed by path.
enum Folder {
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Makes a folder and those above it.
    static func create(_ path: String) throws(GitStoreError) {
        if mkdir(path, 0o750) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw .system("make a folder")
        }
        try create(String(path[..<slash]))
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw .system("make a folder") }
    }

    /// The names in a folder, sorted; empty where `path` is not a folder.
    static func names(in path: String) throws(GitStoreError) -> [String] {
        guard let folder = opendir(path) else {
            if errno == ENOTDIR || errno == ENOENT { return [] }
            throw .system("list a folder")
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a file, or a folder with all that is in it.
    ///
    /// What is not there is no error; links are not followed.
    static func remove(_ path: String) throws(GitStoreError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw .system("remove a file")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            guard unlink(path) == 0 || errno == ENOENT else { throw .system("remove a file") }
            return
        }
        for name in try names(in: path) { try remove("\(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT else { throw .system("remove a folder") }
    }
}
