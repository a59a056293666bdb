import Foundation
import HubCore
import Testing

@testable import GitStore

@Suite("Packs for fetches")
struct FetchTests {
    @Test("a clone holds just what git lists, from every layout of packs", arguments: TestStore.Layout.allCases)
    func clone(_ layout: TestStore.Layout) throws {
        let store = try TestStore.history(layout: layout)
        let references = try store.references()
        let pack = try store.objects().pack(FetchRequest(wants: references.map(\.oid)))
        let client = try TestClient()
        #expect(try client.receiveAlone(pack) == store.list("--all"))
        try client.check(references.map(\.oid))
    }

    @Test("without offset deltas the pack has none", arguments: TestStore.Layout.allCases)
    func withoutOffsetDeltas(_ layout: TestStore.Layout) throws {
        let store = try TestStore.history(layout: layout)
        let pack = try store.objects().pack(FetchRequest(wants: [store.oid("main")], usesOffsetDeltas: false))
        let client = try TestClient()
        #expect(try client.receiveAlone(pack) == store.list("main"))
        var offset = 12
        pack.withUnsafeBytes { bytes in
            while offset < bytes.count - 20 {
                let entry = UnsafeRawBufferPointer(rebasing: bytes[offset...])
                guard let header = try? PackEntryHeader.parse(entry) else {
                    Issue.record("no entry at \(offset)")
                    return
                }
                if case .offsetDelta = header.kind { Issue.record("an offset delta at \(offset)") }
                var room = [UInt8](repeating: 0, count: header.sizeBytes)
                let used = room.withUnsafeMutableBytes {
                    Inflater().tryInflate(UnsafeRawBufferPointer(rebasing: entry[header.headerByteCount...]), into: $0)
                }
                offset += header.headerByteCount + (used ?? bytes.count)
            }
        }
    }

    @Test("fetches bring what is new, thin or not", arguments: TestStore.Layout.allCases, [true, false])
    func incremental(_ layout: TestStore.Layout, isThin: Bool) throws {
        let store = try TestStore.history(layout: layout)
        let objects = try store.objects()
        for (want, have) in [
            ("main", "main~1"), ("main", "main~20"), ("main", "side"), ("side", "main~30"), ("v5", "v2"),
            ("main", "main"),
        ] {
            let request = FetchRequest(wants: [try store.oid(want)], haves: [try store.oid(have)], isThin: isThin)
            let pack = try objects.pack(request)
            let client = try TestClient()
            try client.git("fetch", "--quiet", store.git.folder, try store.oid(have + "^{commit}").hex)
            let before = try client.objectNames()
            try client.receive(pack)
            try client.check([try store.oid(want)])
            // What git would have sent: all that is new; the walk may repeat what moved from another folder, no more.
            let new = try store.list(want, "^" + have)
            #expect(try new.isSubset(of: client.objectNames()))
            let sent = pack[8..<12].reduce(0) { $0 << 8 | Int($1) }
            #expect(sent >= new.subtracting(before).count)
            #expect(sent <= new.count)
        }
    }

    @Test("a have that is not stored is passed over, a want that is not is an error")
    func unknownNames() throws {
        let store = try TestStore.history()
        let objects = try store.objects()
        let unknown = try #require(GitOID(hex: String(repeating: "12", count: 20)))
        let client = try TestClient()
        let pack = try objects.pack(FetchRequest(wants: [store.oid("main")], haves: [unknown]))
        #expect(try client.receiveAlone(pack) == store.list("main"))
        #expect(throws: GitStoreError.missing(unknown)) { try objects.pack(FetchRequest(wants: [unknown])) }
    }

    @Test("any object may be wanted by its name")
    func objectsByName() throws {
        let store = try TestStore.history()
        let objects = try store.objects()
        let blob = try store.oid("main:folder")
        for revision in ["main:folder", "main^{tree}", "main:link", "tree-tag", "blob-tag", "tag-of-tag", "v1"] {
            let wanted = try store.oid(revision)
            let client = try TestClient()
            #expect(
                try client.receiveAlone(objects.pack(FetchRequest(wants: [wanted]))) == store.list(wanted.hex),
                "\(revision)")
        }
        #expect(blob != .zero)
    }

    @Test("clocks that run backwards change nothing")
    func clockSkew() throws {
        let store = try TestStore.history(History(commits: 80, seed: 9, clockSteps: -3000...1000))
        let objects = try store.objects()
        for distance in [1, 10, 40] {
            let have = try store.oid("main~\(distance)")
            let client = try TestClient()
            try client.git("fetch", "--quiet", store.git.folder, have.hex)
            try client.receive(objects.pack(FetchRequest(wants: [store.oid("main")], haves: [have], isThin: true)))
            try client.check([try store.oid("main")])
        }
    }

    @Test("annotated tags come along when what they name is sent")
    func includeTag() throws {
        let store = try TestStore.history()
        let references = try store.references()
        let tags = references.filter { $0.name.isTag && $0.peeled != nil }
        let request = FetchRequest(wants: [try store.oid("main~5")], haves: [try store.oid("main~25")], tags: tags)
        let client = try TestClient()
        try client.git("fetch", "--quiet", "--no-tags", store.git.folder, try store.oid("main~25").hex)
        try client.receive(store.objects().pack(request))
        let names = try client.objectNames()
        let sent = try store.list("main~5", "^main~25")
        for tag in tags {
            let isDue = tag.peeled.map { sent.contains($0) } ?? false
            #expect(names.contains(tag.oid) == isDue, "\(tag.name)")
        }
        // The tag that a tag names comes with it.
        let nested = try #require(tags.first { $0.name.text == "refs/tags/tag-of-tag" })
        let alone = try TestClient()
        let pack = try store.objects().pack(FetchRequest(wants: [store.oid("main")], tags: [nested]))
        #expect(try alone.receiveAlone(pack).isSuperset(of: [nested.oid, store.oid("v1")]))
    }

    @Test("a damaged entry is found before it is sent")
    func damagedEntry() throws {
        let store = try TestStore.history()
        let packs = try store.describePacks()
        let path = try #require(packs.first.map { "\(store.store.packFolder(of: store.uid))/pack-\($0.id).pack" })
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.seek(toOffset: UInt64(packs[0].sizeBytes / 2))
        try file.write(contentsOf: Data([0xa5, 0x5a, 0xa5]))
        try file.close()
        let objects = try store.store.objects(of: store.uid, packs: packs)
        #expect(throws: GitStoreError.self) {
            try objects.pack(FetchRequest(wants: [store.oid("main"), store.oid("side")]))
        }
    }
}
