import Foundation
import HubCore
import NIOCore
import ObjectStore
import Testing

@Suite("Uploads in parts")
struct PartUploadTests {
    private let name = "00112233445566778899aabbccddeeff"

    private func part(_ content: TestContent, _ range: Range<Int>) -> AsyncThrowingStream<ByteBuffer, any Error> {
        AsyncThrowingStream { continuation in
            for start in stride(from: range.lowerBound, to: range.upperBound, by: 7000) {
                continuation.yield(ByteBuffer(bytes: content.bytes[start..<min(start + 7000, range.upperBound)]))
            }
            continuation.finish()
        }
    }

    @Test("makes the object of parts in any order, also of parts that come twice", arguments: [[0, 1, 2], [2, 0, 1], [0, 1, 0, 2]])
    func anyOrder(order: [Int]) async throws {
        let objects = try TestObjects()
        let content = TestContent(250_000)
        try await objects.store.beginUpload(name, sizeBytes: content.size)
        for number in order {
            let range = number * 100_000..<min((number + 1) * 100_000, 250_000)
            try await objects.store.writePart(
                of: name, range: Int64(range.lowerBound)..<Int64(range.upperBound), body: part(content, range))
        }
        let stored = try await objects.store.completeUpload(name, expected: content.id, sizeBytes: content.size)
        #expect(stored.sizeBytes == content.size)
        #expect(try await objects.read(content.id) == content.bytes)
        #expect(try objects.staged.isEmpty)
        await #expect(throws: ObjectStoreError.uploadNotFound) {
            _ = try await objects.store.completeUpload(name, expected: content.id, sizeBytes: content.size)
        }
    }

    @Test("goes on after a restart")
    func survivesRestart() async throws {
        let objects = try TestObjects()
        let content = TestContent(200_000)
        try await objects.store.beginUpload(name, sizeBytes: content.size)
        try await objects.store.writePart(of: name, range: 0..<100_000, body: part(content, 0..<100_000))
        let again = try objects.reopen()
        #expect(try await again.hasUpload(name))
        try await again.beginUpload(name, sizeBytes: content.size)
        try await again.writePart(of: name, range: 100_000..<200_000, body: part(content, 100_000..<200_000))
        _ = try await again.completeUpload(name, expected: content.id, sizeBytes: content.size)
        #expect(try await objects.read(content.id) == content.bytes)
    }

    @Test("refuses a part of another length and leaves the others alone")
    func refusesWrongPart() async throws {
        let objects = try TestObjects()
        let content = TestContent(200_000)
        try await objects.store.beginUpload(name, sizeBytes: content.size)
        try await objects.store.writePart(of: name, range: 0..<100_000, body: part(content, 0..<100_000))
        await #expect(throws: ObjectStoreError.wrongSize(expected: 100_000, actual: 90_000)) {
            try await objects.store.writePart(of: name, range: 100_000..<200_000, body: part(content, 100_000..<190_000))
        }
        await #expect(throws: ObjectStoreError.incompleteUpload) {
            _ = try await objects.store.completeUpload(name, expected: content.id, sizeBytes: content.size)
        }
        try await objects.store.writePart(of: name, range: 100_000..<200_000, body: part(content, 100_000..<200_000))
        _ = try await objects.store.completeUpload(name, expected: content.id, sizeBytes: content.size)
    }

    @Test("drops an upload whose hash is wrong")
    func refusesWrongHash() async throws {
        let objects = try TestObjects()
        let announced = TestContent(1000, seed: 3)
        let sent = TestContent(1000, seed: 4)
        try await objects.store.beginUpload(name, sizeBytes: 1000)
        try await objects.store.writePart(of: name, range: 0..<1000, body: sent.body())
        await #expect(throws: ObjectStoreError.wrongHash(expected: announced.id, actual: sent.id)) {
            _ = try await objects.store.completeUpload(name, expected: announced.id, sizeBytes: 1000)
        }
        #expect(try await !objects.store.hasUpload(name))
        #expect(try await objects.store.stat(announced.id) == nil)
    }

    @Test("refuses parts and completion of an upload that is not there")
    func refusesUnknown() async throws {
        let objects = try TestObjects()
        await #expect(throws: ObjectStoreError.uploadNotFound) {
            try await objects.store.writePart(of: name, range: 0..<1, body: TestContent(1).body())
        }
        await #expect(throws: ObjectStoreError.uploadNotFound) {
            _ = try await objects.store.completeUpload(name, expected: TestContent(1).id, sizeBytes: 1)
        }
        try await objects.store.discardUpload(name)
        #expect(try await objects.store.uploads().isEmpty)
    }
}
