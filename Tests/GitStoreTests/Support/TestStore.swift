import Foundation
import HubCore
import Testing

@testable import GitStore

/// A bare repository of the real `git`, and the same packs in a `GitStore`.
struct TestStore {
    let folder: TemporaryFolder
    let git: GitCommand
    let store: GitStore
    let uid = RepositoryUID(trusted: "ab0123")

    init(bare name: String = "source.git") throws {
        folder = try TemporaryFolder()
        git = GitCommand(folder: folder.path + "/" + name)
        try FileManager.default.createDirectory(atPath: git.folder, withIntermediateDirectories: true)
        try git("init", "--quiet", "--bare", "--initial-branch=main")
        store = try GitStore(
            root: folder.path + "/git", staging: folder.path + "/staging", threads: GitThreads(count: 4))
    }

    /// How the objects are laid out in packs.
    enum Layout: CaseIterable, CustomTestStringConvertible {
        /// One pack, as `git gc` leaves it.
        case repacked
        /// A pack for each ten commits, thin ones completed, as pushes leave them.
        case pushes
        /// Two packs that hold everything, made differently.
        case duplicated

        var testDescription: String { "\(self)" }
    }

    /// A store with an invented history.
    static func history(_ history: History = History(), layout: Layout = .repacked) throws -> TestStore {
        let made = try TestStore()
        try history.make(in: made.git)
        switch layout {
        case .repacked:
            try made.git("repack", "-adfq", "--depth=20")
        case .duplicated:
            try made.git("repack", "-adfq", "--depth=20")
            let all = try made.git.run(["rev-list", "--objects", "--all", "--no-object-names", "--reverse"])
            let other = try made.git.run(
                ["pack-objects", "--stdout", "-q", "--window=30", "--no-reuse-delta"], input: all)
            try made.git.run(["index-pack", "--stdin", "--keep"], input: other)
        case .pushes:
            try made.repackAsPushes()
        }
        return made
    }

    /// Replaces the packs by those that pushes of ten commits each would have left.
    private func repackAsPushes() throws {
        let commits = try git.lines("rev-list", "--reverse", "--topo-order", "--all")
        let pushes = try TestStore(bare: "pushes.git")
        var done: [String] = []
        for start in stride(from: 0, to: commits.count, by: 10) {
            let tips = commits[start..<min(start + 10, commits.count)]
            try push(tips: Array(tips), known: done, to: pushes.git)
            done += tips
        }
        let tags = try git.lines("for-each-ref", "--format=%(objecttype) %(objectname)", "refs/tags").filter {
            $0.hasPrefix("tag ")
        }
        let names = tags.map { $0.dropFirst(4) + "\n" }.joined()
        try store(git.run(["pack-objects", "--stdout", "-q"], input: Array(names.utf8)), in: pushes.git)
        try git("repack", "-adq")
        for name in try FileManager.default.contentsOfDirectory(atPath: packFolder) {
            try FileManager.default.removeItem(atPath: packFolder + "/" + name)
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: pushes.packFolder) {
            try FileManager.default.moveItem(atPath: pushes.packFolder + "/" + name, toPath: packFolder + "/" + name)
        }
    }

    private func push(tips: [String], known: [String], to other: GitCommand) throws {
        let list = tips.map { $0 + "\n" }.joined() + known.map { "^\($0)\n" }.joined()
        // The sparse walk would send again what lies elsewhere already.
        let pack = try git.run(
            [
                "-c", "pack.useSparse=false", "pack-objects", "--stdout", "-q", "--revs", "--thin",
                "--delta-base-offset",
            ],
            input: Array(list.utf8))
        try store(pack, in: other)
    }

    private func store(_ pack: [UInt8], in other: GitCommand) throws {
        let answer = try other.run(["index-pack", "--stdin", "--fix-thin"], input: pack)
        // `pack\t<checksum>`; how many objects the push brought itself is remembered beside the pack.
        let checksum = String(decoding: answer.dropFirst(5).prefix(40), as: UTF8.self)
        try Data(pack[8..<12]).write(to: URL(fileURLWithPath: "\(other.folder)/objects/pack/pack-\(checksum).own"))
    }

    var packFolder: String { git.folder + "/objects/pack" }

    /// The packs that `git` has, as descriptions of packs that the store has too.
    ///
    /// All objects must be in packs.
    func describePacks(isDisjoint: Bool = false) throws -> [PackDescription] {
        let target = store.packFolder(of: uid)
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        return try FileManager.default.contentsOfDirectory(atPath: packFolder).filter { $0.hasSuffix(".pack") }.sorted()
            .map { name in
                let base = String(name.dropLast(5))
                for file in [base + ".pack", base + ".idx"]
                where !FileManager.default.fileExists(atPath: target + "/" + file) {
                    try FileManager.default.copyItem(atPath: packFolder + "/" + file, toPath: target + "/" + file)
                }
                return try describe(base, isDisjoint: isDisjoint)
            }
    }

    private func describe(_ base: String, isDisjoint: Bool) throws -> PackDescription {
        let pack = try Data(contentsOf: URL(fileURLWithPath: "\(packFolder)/\(base).pack"))
        let id = try #require(GitOID(hex: base.dropFirst(5)))
        let count = pack[8..<12].reduce(0) { $0 << 8 | Int($1) }
        var (bodyEnd, own) = (pack.count - 20, count)
        if let brought = try? Data(contentsOf: URL(fileURLWithPath: "\(packFolder)/\(base).own")) {
            own = brought.reduce(0) { $0 << 8 | Int($1) }
            let index = try PackIndex(
                file: MappedFile(path: "\(packFolder)/\(base).idx", operation: "open"), packBytes: pack.count)
            bodyEnd = PackOffsets(index: index, trailerStart: pack.count - 20).starts[own]
        }
        return PackDescription(
            id: PackID(id), objectCount: count, sizeBytes: Int64(pack.count), bodyEnd: Int64(bodyEnd),
            ownObjectCount: own,
            isDisjoint: isDisjoint, isFullyReachable: isDisjoint)
    }

    func objects() throws -> GitObjects { try store.objects(of: uid, packs: try describePacks()) }

    func oid(_ revision: String) throws -> GitOID {
        try #require(GitOID(hex: try git.lines("rev-parse", "--verify", revision)[0]))
    }

    /// All refs with what they point to, annotated tags peeled.
    func references() throws -> [Reference] {
        try git.lines("for-each-ref", "--format=%(refname) %(objectname) %(*objectname)").map { line in
            let parts = line.split(separator: " ").map(String.init)
            let oid = try #require(GitOID(hex: parts[1]))
            var peeled: GitOID?
            if parts.count > 2 { peeled = try self.oid(parts[0] + "^{}") }
            return Reference(name: ReferenceName(trusted: parts[0]), oid: oid, peeled: peeled)
        }
    }

    /// The object names that `git rev-list --objects` answers.
    func list(_ arguments: String...) throws -> Set<GitOID> {
        let output = try git.run(["rev-list", "--objects", "--no-object-names"] + arguments)
        return Set(String(decoding: output, as: UTF8.self).split(separator: "\n").compactMap { GitOID(hex: $0) })
    }
}

extension GitObjects {
    /// The whole pack for a request.
    func pack(_ request: FetchRequest) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try writePack(request) { block in bytes.append(contentsOf: block) }
        return bytes
    }
}

/// A repository that receives packs from the store with the real `git`.
struct TestClient {
    let folder: TemporaryFolder
    let git: GitCommand

    init() throws {
        folder = try TemporaryFolder()
        git = GitCommand(folder: folder.path + "/client.git")
        try FileManager.default.createDirectory(atPath: git.folder, withIntermediateDirectories: true)
        try git("init", "--quiet", "--bare", "--initial-branch=main")
    }

    /// Stores a pack that needs nothing else, and answers the names in it.
    func receiveAlone(_ pack: [UInt8]) throws -> Set<GitOID> {
        try git.run(["index-pack", "--stdin", "--strict"], input: pack)
        return try objectNames()
    }

    /// Stores a pack that may build on what is here.
    func receive(_ pack: [UInt8]) throws {
        try git.run(["index-pack", "--stdin", "--fix-thin", "--strict"], input: pack)
    }

    func objectNames() throws -> Set<GitOID> {
        Set(
            try git.lines("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").compactMap {
                GitOID(hex: $0)
            })
    }

    /// Complains when anything that the revisions need is missing or damaged; the shallow boundary counts.
    func check(_ revisions: [GitOID]) throws {
        for (index, oid) in revisions.enumerated() { try git("update-ref", "refs/check/\(index)", oid.hex) }
        try git("fsck", "--strict", "--no-dangling")
    }

    var shallow: Set<GitOID> {
        get throws {
            guard let text = try? String(contentsOfFile: git.folder + "/shallow", encoding: .utf8) else { return [] }
            return Set(text.split(separator: "\n").compactMap { GitOID(hex: $0) })
        }
    }

    func setShallow(_ commits: Set<GitOID>) throws {
        let text = commits.sorted().map { $0.hex + "\n" }.joined()
        try text.write(toFile: git.folder + "/shallow", atomically: true, encoding: .utf8)
    }
}
