import BundleFormat
import Glibc
import HubCore

/// A folder on the local disk that holds what must outlive an interruption while a bundle is made.
package struct CreationFolder: Sendable {
    package let path: String
    /// Who is to own what is made in it; `nil` for whoever runs this.
    private let owner: (user: uid_t, group: gid_t)?

    /// Makes the folder and those above it.
    ///
    /// - Parameter owner: a path whose owner is to own the folder, where the process runs as root.
    package init(path: String, ownedLike owner: String? = nil) throws(CreationError) {
        self.path = path
        var status = stat()
        if let owner, geteuid() == 0, stat(owner, &status) == 0 { self.owner = (status.st_uid, status.st_gid) } else { self.owner = nil }
        try make(path)
    }

    package func file(_ name: String) -> String { "\(path)/\(name)" }

    package func has(_ name: String) -> Bool { access(file(name), F_OK) == 0 }

    package func folder(_ name: String) throws(CreationError) -> CreationFolder {
        var inner = self
        inner = CreationFolder(path: file(name), owner: owner)
        try inner.make(inner.path)
        return inner
    }

    private init(path: String, owner: (user: uid_t, group: gid_t)?) {
        self.path = path
        self.owner = owner
    }

    private func make(_ path: String) throws(CreationError) {
        if mkdir(path, 0o700) == 0 {
            adoptFolder(path)
            return
        }
        switch errno {
        case EEXIST:
            // Whoever owns the folder above may have put a link there, that would lead root anywhere.
            var status = stat()
            guard owner == nil || lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR else {
                throw .system(operation: "Making", path: path, code: ENOTDIR)
            }
        case ENOENT:
            guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { throw .system(operation: "Making", path: path, code: ENOENT) }
            try make(String(path[..<slash]))
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .system(operation: "Making", path: path, code: errno) }
            adoptFolder(path)
        default: throw .system(operation: "Making", path: path, code: errno)
        }
    }

    /// Gives a new folder to the owner; who may not has made it as that owner. Of a link in its place only the link is given.
    private func adoptFolder(_ path: String) { if let owner { _ = lchown(path, owner.user, owner.group) } }

    /// The same for an open file, unless it has another name: that may be of a file of somebody else.
    private func adopt(_ descriptor: Int32) {
        var status = stat()
        guard let owner, fstat(descriptor, &status) == 0, status.st_nlink == 1 else { return }
        _ = fchown(descriptor, owner.user, owner.group)
    }

    /// Writes a file as a whole or not at all, durably.
    package func write(_ bytes: [UInt8], to name: String) throws(CreationError) {
        try WholeFile.write(bytes, to: file(name), mode: 0o600) { adopt($0) }
        try WholeFile.syncFolder(path)
    }

    package func read(_ name: String, limit: Int = 1 << 30) throws(BundleError) -> [UInt8] {
        try Media.contents(of: file(name), name: name, limit: limit)
    }

    /// Appends to a file, durably at the latest when `sync` is true.
    package func append(_ text: String, to name: String, sync: Bool = false) throws(CreationError) {
        let descriptor = open(file(name), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system(operation: "Opening", path: file(name), code: errno) }
        defer { close(descriptor) }
        try WholeFile.write(Array(text.utf8), descriptor: descriptor, path: file(name))
        if sync, fdatasync(descriptor) != 0 { throw .system(operation: "Syncing", path: file(name), code: errno) }
        adopt(descriptor)
    }

    /// The whole lines of a file that is appended to; none when it is not there. A last line without its end is left out.
    package func lines(of name: String) throws(BundleError) -> [Substring] {
        guard has(name) else { return [] }
        let text = String(decoding: try read(name), as: UTF8.self)
        guard let end = text.utf8.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        return text[..<end].split(separator: "\n")
    }

    /// The names in it, sorted.
    package func names() throws(CreationError) -> [String] {
        guard let stream = opendir(path) else { throw .system(operation: "Reading", path: path, code: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes the folder with all that is in it. What cannot be removed stays and harms nobody.
    package func remove() { Self.remove(path) }

    package static func remove(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            if let names = try? CreationFolder(path: path, owner: nil).names() { for name in names { remove("\(path)/\(name)") } }
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}

/// Files that are there as a whole or not at all.
package enum WholeFile {
    /// - Parameter prepare: gets the open file before it has its name.
    package static func write(
        _ bytes: [UInt8], to path: String, mode: mode_t = 0o644, _ prepare: (Int32) -> Void = { _ in }
    ) throws(CreationError) {
        let temporary = path + ".new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw .system(operation: "Writing", path: path, code: errno) }
        do throws(CreationError) {
            defer { close(descriptor) }
            try write(bytes, descriptor: descriptor, path: path)
            prepare(descriptor)
            guard fsync(descriptor) == 0 else { throw .system(operation: "Writing", path: path, code: errno) }
        } catch {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, path) == 0 else { throw .system(operation: "Writing", path: path, code: errno) }
    }

    static func write(_ bytes: [UInt8], descriptor: Int32, path: String) throws(CreationError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system(operation: "Writing", path: path, code: errno)
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Makes the names in a folder durable. Some file systems of sticks cannot sync a folder; they write names with the files.
    package static func syncFolder(_ path: String) throws(CreationError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(operation: "Opening", path: path, code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw .system(operation: "Syncing", path: path, code: errno) }
    }
}
