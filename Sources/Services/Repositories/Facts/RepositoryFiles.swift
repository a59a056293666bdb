import GitStore
import HubCore

/// A file of a commit.
struct RepositoryFile: Sendable {
    let path: String
    let oid: GitOID
    /// The real size, of a large object too.
    let sizeBytes: Int64
    /// Set when git has a pointer in its place.
    let object: ObjectID?

    var name: Substring { path.split(separator: "/").last ?? Substring(path) }
    var isAtRoot: Bool { !path.contains("/") }
}

/// What the facts need to know of the files of a commit, in memory that does not grow with their number.
///
/// Taken are at most `maximumFiles` files in folders at most `maximumDepth` deep; of the small ones at most `maximumPointers` are
/// looked at for being pointers, and `maximumKept` files are remembered by path.
struct RepositoryFiles: Sendable {
    static let maximumFiles = 500_000
    static let maximumDepth = 64
    static let maximumPointers = 100_000
    static let maximumKept = 5_000

    /// All at the root, and below it those of kinds that facts read.
    private(set) var kept: [RepositoryFile] = []
    /// How many files have which extension, in lower case, and where the first one is.
    private(set) var extensions: [String: Int] = [:]
    private(set) var count = 0
    private(set) var bytes: Int64 = 0
    private(set) var isCutOff = false

    private static let maximumExtensions = 2_000
    private static let keptExtensions: Set<String> = ["safetensors", "gguf"]

    /// Blocks; runs on git's threads.
    static func read(_ commit: GitOID, in objects: GitObjects) throws -> RepositoryFiles {
        var files = RepositoryFiles()
        var walk = FileWalk(objects: objects)
        try walk.run(try objects.rootTree(of: commit)) { files.add($0) }
        files.isCutOff = walk.isCutOff
        return files
    }

    mutating func add(_ file: RepositoryFile) {
        count += 1
        bytes += file.sizeBytes
        let name = file.name
        let kind = name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
        if extensions.count < Self.maximumExtensions || extensions[kind] != nil { extensions[kind, default: 0] += 1 }
        let isWanted = file.isAtRoot || Self.keptExtensions.contains(kind)
        if isWanted, kept.count < Self.maximumKept { kept.append(file) }
    }

    /// A file at the root, by its exact name.
    subscript(_ name: String) -> RepositoryFile? { kept.first { $0.path == name } }

    var rootNames: Set<String> { Set(kept.filter(\.isAtRoot).map(\.path)) }

    func has(_ kind: String) -> Bool { extensions[kind] != nil }
}

/// Goes through the tree of a commit without recursion.
private struct FileWalk {
    let objects: GitObjects
    private(set) var isCutOff = false
    private var files = 0
    private var pointers = 0

    init(objects: GitObjects) { self.objects = objects }

    mutating func run(_ root: GitOID, _ body: (RepositoryFile) -> Void) throws {
        var folders: [(path: String, oid: GitOID, depth: Int)] = [("", root, 0)]
        while let folder = folders.popLast() {
            var below: [(path: String, oid: GitOID, depth: Int)] = []
            for entry in try objects.tree(folder.oid) {
                let path = folder.path + String(decoding: entry.name, as: UTF8.self)
                if entry.isTree {
                    guard folder.depth < RepositoryFiles.maximumDepth else {
                        isCutOff = true
                        continue
                    }
                    below.append((path + "/", entry.oid, folder.depth + 1))
                } else if GitFileMode.isRegularFile(entry.mode) {
                    files += 1
                    guard files <= RepositoryFiles.maximumFiles else {
                        isCutOff = true
                        return
                    }
                    body(try file(path, entry.oid))
                }
            }
            // The stack gives them back in their order.
            folders += below.reversed()
        }
    }

    private mutating func file(_ path: String, _ oid: GitOID) throws -> RepositoryFile {
        let size = try objects.header(of: oid)?.sizeBytes ?? 0
        // The shortest pointer names an object of one byte.
        let mayBePointer = size >= 120 && size <= LFSPointer.maximumByteCount && pointers < RepositoryFiles.maximumPointers
        guard mayBePointer else { return RepositoryFile(path: path, oid: oid, sizeBytes: size, object: nil) }
        pointers += 1
        let blob = try objects.read(oid, limit: Int64(LFSPointer.maximumByteCount))
        guard let pointer = LFSPointer(parsing: blob.bytes) else {
            return RepositoryFile(path: path, oid: oid, sizeBytes: size, object: nil)
        }
        return RepositoryFile(path: path, oid: oid, sizeBytes: pointer.sizeBytes, object: pointer.oid)
    }
}
