import Foundation
import HubCore
import NIOCore
import Testing

@testable import GitStore

@Suite("Reading stored objects")
struct ReadingTests {
    @Test("a table that does not fit into memory is a refusal")
    func memory() {
        #expect(throws: GitStoreError.outOfMemory) { _ = try ObjectSet(capacity: 1 << 55) }
    }

    @Test("every object reads as git has it", arguments: TestStore.Layout.allCases)
    func everyObject(_ layout: TestStore.Layout) throws {
        let store = try TestStore.history(layout: layout)
        let objects = try store.objects()
        let listing = try store.git.lines("cat-file", "--batch-all-objects", "--batch-check")
        #expect(listing.count > 100)
        for line in listing {
            let parts = line.split(separator: " ")
            let oid = try #require(GitOID(hex: parts[0]))
            let object = try objects.read(oid, limit: .max)
            #expect(object.type.name == parts[1])
            #expect(object.bytes.count == Int(parts[2]))
            #expect(try ObjectHasher.name(of: object.type, object.bytes) == oid)
            let header = try #require(try objects.header(of: oid))
            #expect(header.type == object.type && header.sizeBytes == Int64(object.bytes.count))
        }
    }

    @Test("names are found in the indexes and in the table alike")
    func lookup() throws {
        let store = try TestStore.history(layout: .duplicated)
        let objects = try store.objects()
        let names = try store.list("--all")
        let searched = names.map { objects.number(of: $0) }
        _ = objects.table
        #expect(names.map { objects.number(of: $0) } == searched)
        #expect(searched.allSatisfy { $0 != nil })
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<1000 {
            let other = try #require(
                GitOID(bytes: (0..<20).map { _ in UInt8.random(in: .min ... .max, using: &generator) }))
            #expect(!objects.contains(other) && objects.search(NameWords(other)) == nil)
        }
    }

    @Test("missing and too large objects are told apart")
    func refusals() throws {
        let store = try SharedHistory.store.get()
        let objects = try store.objects()
        let tree = try store.oid("main^{tree}")
        #expect(throws: GitStoreError.missing(.zero)) { try objects.read(.zero, limit: 10) }
        #expect(throws: GitStoreError.tooLarge(tree, limit: 10)) { try objects.read(tree, limit: 10) }
        #expect(throws: GitStoreError.unexpectedType(tree)) { try objects.commit(tree) }
        #expect(try objects.header(of: .zero) == nil)
    }

    @Test("paths lead to entries")
    func paths() throws {
        let store = try SharedHistory.store.get()
        let objects = try store.objects()
        let main = try store.oid("main")
        for line in try store.git.lines("ls-tree", "-r", "-t", "main") {
            let fields = line.split(separator: "\t")
            let entry = try #require(try objects.entry(at: String(fields[1]), in: main))
            #expect(String(entry.mode, radix: 8) == fields[0].prefix(6).drop { $0 == "0" })
            #expect(entry.oid.hex == fields[0].split(separator: " ")[2])
        }
        for path in ["nothing", "folder/nothing", "link/further", "folder/file-1/further"] {
            #expect(try objects.entry(at: path, in: main) == nil)
        }
        #expect(try objects.entry(at: "", in: store.oid("v1"))?.oid == store.oid("v1^{tree}"))
        #expect(try objects.peel(store.oid("tag-of-tag")) == store.oid("tag-of-tag^{commit}"))
        #expect(try objects.commit(main).tree == store.oid("main^{tree}"))
    }

    @Test("ancestry is git's, also with clocks that run backwards")
    func ancestry() throws {
        let store = try TestStore.history(History(commits: 60, seed: 5, clockSteps: -2000...1000))
        let objects = try store.objects()
        let commits = try store.git.lines("rev-list", "--all").compactMap { GitOID(hex: $0) }
        for commit in commits.enumerated().filter({ $0.offset.isMultiple(of: 7) }).map(\.element) {
            let ancestors = try store.list("--no-walk=unsorted", commit.hex).union(
                Set(store.git.lines("rev-list", commit.hex).compactMap { GitOID(hex: $0) }))
            for other in commits {
                #expect(try objects.isAncestor(other, of: commit) == ancestors.contains(other))
            }
        }
        #expect(try !objects.isAncestor(#require(commits.last), of: commits[0], limit: 3))
    }

    @Test("a negotiation is ready when each want has a common ancestor")
    func readiness() throws {
        let store = try SharedHistory.store.get()
        let objects = try store.objects()
        let (main, side) = (try store.oid("main"), try store.oid("side"))
        #expect(try objects.isReady(wants: [main], common: [store.oid("main~20")]))
        #expect(try objects.isReady(wants: [main, side], common: [store.oid("main~40"), side]))
        #expect(try !objects.isReady(wants: [store.oid("main~20")], common: [main]))
        #expect(try !objects.isReady(wants: [main], common: []))
        #expect(try objects.isReady(wants: [store.oid("main^{tree}")], common: [main]))
    }

    @Test("blobs stream whole and in ranges, stored as they are or as deltas")
    func streams() async throws {
        let store = try TestStore.history(History(commits: 30))
        let large = try store.addBlob(bytes: 1 << 20)
        let objects = try store.objects()
        let threads = store.store.threads
        let blobs = try store.git.lines("ls-tree", "-r", "main").filter { $0.contains(" blob ") }.compactMap {
            GitOID(hex: $0.split(separator: " ")[2].prefix(40))
        }
        for oid in blobs + [large] {
            let content = try objects.read(oid, limit: .max).bytes
            let stream = try objects.blob(oid, threads: threads)
            #expect(stream.sizeBytes == Int64(content.count))
            #expect(try await bytes(stream) == content)
            let (start, end) = (content.count / 3, content.count * 9 / 10)
            #expect(
                try await bytes(objects.blob(oid, range: Int64(start)..<Int64(end), threads: threads))
                    == Array(content[start..<end]))
        }
        let tree = try store.oid("main^{tree}")
        #expect(throws: GitStoreError.unexpectedType(tree)) { try objects.blob(tree, threads: threads) }
        #expect(throws: GitStoreError.self) { try objects.blob(large, range: 0..<Int64(2 << 20), threads: threads) }
    }

    private func bytes(_ stream: BlobStream) async throws -> [UInt8] {
        try await stream.reduce(into: []) { $0.append(contentsOf: $1.readableBytesView) }
    }

    @Test("packs that are gone or replaced are noticed, open ones stay readable")
    func removal() throws {
        let store = try TestStore.history(History(commits: 30))
        let packs = try store.describePacks()
        let objects = try store.store.objects(of: store.uid, packs: packs)
        #expect(try store.store.packFiles(of: store.uid).map(\.id) == packs.map(\.id))
        try store.store.remove(packs: packs.map(\.id), of: store.uid)
        #expect(try store.store.packFiles(of: store.uid).isEmpty)
        #expect(try objects.read(store.oid("main"), limit: .max).type == .commit)
        #expect(throws: GitStoreError.self) { try store.store.objects(of: store.uid, packs: packs) }
        try store.store.removeRepository(store.uid)
        try store.store.removeRepository(store.uid)
        #expect(try store.store.repositoryFolders().isEmpty)
    }
}
