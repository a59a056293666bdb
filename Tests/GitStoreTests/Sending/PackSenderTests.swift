import Dispatch
import Foundation
import HubCore
import NIOCore
import Testing

@testable import GitStore

@Suite("Streams of packs")
struct PackSenderTests {
    @Test("one pack in good shape goes out byte for byte, framed or not")
    func wholePack() async throws {
        let store = try TestStore.history(History(commits: 40))
        let packs = try store.describePacks(isDisjoint: true)
        let objects = try store.store.objects(of: store.uid, packs: packs)
        let sender = try store.sender()
        let references = Set(try store.references().map(\.oid))
        let file = try Data(contentsOf: URL(fileURLWithPath: "\(store.packFolder)/pack-\(packs[0].id).pack"))
        for framing in [PackFraming.none, .sideBand64k] {
            let stream = try await sender.stream(
                FetchRequest(wants: Array(references)), from: objects, repository: store.uid, allReferences: references,
                hasUnreachable: false, framing: framing)
            let collected = try await Collected(stream, framing: framing)
            #expect(collected.bytes == [UInt8](file))
        }
        #expect(sender.counts == PackCounters(copied: 2))
        try await sender.stop()
    }

    @Test("packs of pushes are joined into a pack that git takes")
    func joinedPacks() async throws {
        let store = try TestStore.history(layout: .pushes)
        let packs = try store.describePacks(isDisjoint: true)
        try #require(packs.count > 3)
        let objects = try store.store.objects(of: store.uid, packs: packs)
        let sender = try store.sender()
        let references = Set(try store.references().map(\.oid))
        // The checksum at the end is computed the first time and remembered.
        for _ in 0..<2 {
            let stream = try await sender.stream(
                FetchRequest(wants: Array(references)), from: objects, repository: store.uid, allReferences: references,
                hasUnreachable: false)
            let client = try TestClient()
            let pack = try await Collected(stream).bytes
            #expect(try client.receiveAlone(pack) == store.list("--all"))
            try client.check(Array(references))
            // Small fetches are unpacked instead, which resolves bases in its own way.
            let unpacking = try TestClient()
            try unpacking.git("unpack-objects", "-q", "--strict", input: pack)
            try unpacking.check(Array(references))
        }
        #expect(sender.counts.copied == 2)
    }

    @Test("anything less than everything is not copied")
    func noCopy() throws {
        let store = try TestStore.history(History(commits: 30))
        let objects = try store.store.objects(of: store.uid, packs: try store.describePacks(isDisjoint: true))
        let references = Set(try store.references().map(\.oid))
        let everything = FetchRequest(wants: Array(references))
        func answers(_ change: (inout FetchRequest) throws -> Void, hasUnreachable: Bool = false) rethrows -> Bool {
            var request = everything
            try change(&request)
            return PackCopy.answers(request, objects, allReferences: references, hasUnreachable: hasUnreachable)
        }
        #expect(answers { _ in })
        #expect(!answers({ _ in }, hasUnreachable: true))
        #expect(!answers { $0.wants.removeLast() })
        #expect(!answers { $0.haves = [everything.wants[0]] })
        #expect(!answers { $0.clientShallow = [everything.wants[0]] })
        #expect(!answers { $0.deepen = .depth(1, relative: false) })
        #expect(!answers { $0.usesOffsetDeltas = false })
        #expect(try !answers { $0.filter = try ObjectFilter(parsing: "blob:none") })
        let untidy = try store.store.objects(of: store.uid, packs: try store.describePacks(isDisjoint: false))
        #expect(!PackCopy.answers(everything, untidy, allReferences: references, hasUnreachable: false))
    }

    @Test("equal requests are worked on once", arguments: [PackFraming.none, .sideBand64k])
    func singleFlight(_ framing: PackFraming) async throws {
        let store = try TestStore.history(History(commits: 40))
        let objects = try store.objects()
        let sender = try store.sender()
        let (wants, uid) = ([try store.oid("main"), try store.oid("side")], store.uid)
        let packs = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for number in 0..<100 {
                group.addTask {
                    let request = FetchRequest(wants: number.isMultiple(of: 2) ? wants : wants.reversed())
                    let stream = try await sender.stream(
                        request, from: objects, repository: uid, allReferences: [], hasUnreachable: false,
                        framing: framing)
                    return try await Collected(stream, framing: framing).bytes
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(packs).count == 1)
        #expect(sender.counts == PackCounters(made: 1, shared: 99))
        #expect(try TestClient().receiveAlone(packs[0]) == store.list("main", "side"))
        #expect(sender.cache.diskBytes == packs[0].count)
        try await sender.stop()
    }

    @Test("the cache stays within its bound and drops what was used longest ago")
    func eviction() async throws {
        let store = try TestStore.history(History(commits: 40))
        let objects = try store.objects()
        let size = try objects.pack(FetchRequest(wants: [store.oid("main")])).count
        let sender = try store.sender(maximumBytes: size * 5)
        func fetch(_ revision: String) async throws -> Int {
            let stream = try await sender.stream(
                FetchRequest(wants: [try store.oid(revision)]), from: objects, repository: store.uid, allReferences: [],
                hasUnreachable: false)
            return try await Collected(stream).bytes.count
        }
        for distance in 0..<9 { #expect(try await fetch("main~\(distance)") > 0) }
        #expect(sender.cache.diskBytes <= size * 5)
        #expect(sender.counts.made == 9)
        _ = try await fetch("main~8")
        #expect(sender.counts.made == 9)
        _ = try await fetch("main")
        #expect(sender.counts.made == 10)
    }

    @Test(
        "a pack too large for the cache, or without a disk, passes through memory at the pace of its readers",
        arguments: [true, false])
    func spilling(hasFolder: Bool) async throws {
        let store = try TestStore.history(History(commits: 20))
        let blob = try store.addBlob(bytes: 6 << 20)
        let objects = try store.objects()
        let sender = try store.sender(maximumBytes: 4 << 20, memoryBytes: 1 << 20)
        if !hasFolder { try FileManager.default.removeItem(atPath: store.folder.path + "/staging/packs") }
        let request = FetchRequest(wants: [blob, try store.oid("main")])
        func stream() async throws -> PackStream {
            try await sender.stream(
                request, from: objects, repository: store.uid, allReferences: [], hasUnreachable: false)
        }
        async let first = Collected(stream()).bytes
        async let second = Collected(stream()).bytes
        let (one, other) = try await (first, second)
        #expect(one == other)
        #expect(try TestClient().receiveAlone(one) == store.list("main").union([blob]))
        #expect(sender.cache.diskBytes <= 1 << 20)
        // Nothing of it can be used again, and nothing of it is left.
        _ = try await Collected(stream())
        #expect(sender.counts.made >= 2)
        try await sender.stop()
    }

    @Test("the work ends when its last reader goes")
    func cancelling() async throws {
        let store = try TestStore.history(History(commits: 20))
        let blob = try store.addBlob(bytes: 6 << 20)
        let objects = try store.objects()
        let sender = try store.sender(maximumBytes: 0, memoryBytes: 1 << 20)
        do {
            let stream = try await sender.stream(
                FetchRequest(wants: [blob]), from: objects, repository: store.uid, allReferences: [],
                hasUnreachable: false)
            for try await event in stream {
                if case .data = event { break }
            }
        }
        // Returns only when the thread that made the pack has given up waiting for readers.
        try await sender.stop()
        #expect(sender.cache.diskBytes == 0)
    }

    @Test("waiting clients get signs of life, and errors reach all of them")
    func keepAlive() async throws {
        let store = try TestStore.history(History(commits: 20))
        let objects = try store.objects()
        let sender = try store.sender(keepAliveInterval: .milliseconds(1))
        let gate = DispatchSemaphore(value: 0)
        try sender.queue.add(key: "other") { _ in gate.wait() }
        let missing = try #require(GitOID(hex: String(repeating: "ab", count: 20)))
        let stream = try await sender.stream(
            FetchRequest(wants: [missing]), from: objects, repository: store.uid, allReferences: [],
            hasUnreachable: false, fairKey: "ada")
        var keepAlives = 0
        await #expect(throws: GitStoreError.missing(missing)) {
            for try await event in stream {
                guard case .keepAlive = event else { continue }
                keepAlives += 1
                if keepAlives == 3 { gate.signal() }
            }
        }
        #expect(keepAlives >= 3)
        try await sender.stop()
    }

    @Test("a stopped sender answers that it is stopping")
    func stopping() async throws {
        let store = try TestStore.history(History(commits: 20))
        let sender = try store.sender()
        try await sender.stop()
        let stream = try await sender.stream(
            FetchRequest(wants: [store.oid("main")]), from: store.objects(), repository: store.uid, allReferences: [],
            hasUnreachable: false)
        await #expect(throws: GitStoreError.cancelled) { for try await _ in stream {} }
    }
}

@Suite("The queue of pack computations")
struct FairQueueTests {
    @Test("takes one of each key after another")
    func turns() async throws {
        let queue = FairQueue(limit: 1)
        let gate = DispatchSemaphore(value: 0)
        let order = AsyncStream<String>.makeStream()
        try queue.add(key: "first") { _ in gate.wait() }
        for (key, name) in [
            ("ada", "ada 1"), ("ada", "ada 2"), ("ada", "ada 3"), ("bob", "bob 1"), ("cy", "cy 1"), ("bob", "bob 2"),
        ] {
            try queue.add(key: key) { _ in order.continuation.yield(name) }
        }
        gate.signal()
        var names: [String] = []
        for await name in order.stream {
            names.append(name)
            if names.count == 6 { break }
        }
        #expect(names == ["ada 1", "bob 1", "cy 1", "ada 2", "bob 2", "ada 3"])
        try await queue.stop()
    }

    @Test("work that waits for readers lets others run")
    func stalling() async throws {
        let queue = FairQueue(limit: 1)
        let gate = DispatchSemaphore(value: 0)
        try queue.add(key: "slow") { _ in
            queue.stall()
            gate.wait()
            queue.resume()
        }
        // Would wait for ever if the slow one kept its turn.
        try queue.add(key: "quick") { _ in gate.signal() }
        try await queue.stop()
    }
}

/// All of a stream.
struct Collected {
    var bytes: [UInt8] = []
    var messages: [String] = []

    init(_ stream: PackStream, framing: PackFraming = .none) async throws {
        for try await event in stream {
            switch event {
            case .progress(let message): messages.append(message)
            case .keepAlive: break
            case .data(var buffer):
                #expect(buffer.readableBytes <= 1 << 20)
                switch framing {
                case .none: bytes.append(contentsOf: buffer.readableBytesView)
                case .sideBand64k: try unframe(&buffer)
                }
            }
        }
    }

    private mutating func unframe(_ buffer: inout ByteBuffer) throws {
        while buffer.readableBytes > 0 {
            let digits = buffer.readString(length: 4) ?? ""
            let length = try #require(Int(digits, radix: 16))
            try #require(length > 5 && length <= 65_520)
            #expect(buffer.readInteger(as: UInt8.self) == 1)
            let payload = buffer.readBytes(length: length - 5)
            bytes.append(contentsOf: try #require(payload))
        }
    }
}

extension TestStore {
    func sender(
        maximumBytes: Int = 64 << 20, memoryBytes: Int = 8 << 20, keepAliveInterval: Duration = .seconds(5)
    ) throws -> PackSender {
        try PackSender(
            store: store,
            cache: PackCacheSettings(
                folder: folder.path + "/staging/packs", maximumBytes: maximumBytes, memoryBytes: memoryBytes,
                keepAliveInterval: keepAliveInterval),
            concurrency: 1)
    }

    /// Stores a blob that nothing compresses, in a pack of its own.
    func addBlob(bytes: Int) throws -> GitOID {
        var generator = SystemRandomNumberGenerator()
        let content = (0..<bytes / 8).flatMap { _ in withUnsafeBytes(of: generator.next() as UInt64, Array.init) }
        let name = String(decoding: try git("hash-object", "-w", "--stdin", input: content), as: UTF8.self).prefix(40)
        try git("pack-objects", "-q", "objects/pack/pack", input: Array("\(name)\n".utf8))
        try git("prune-packed")
        return try #require(GitOID(hex: name))
    }
}
