import Foundation
import HubCore
import Identity
import Logging
import MetadataStore
import NIOCore
import ObjectStore
import Repositories
import Testing

@testable import Community

@Suite("Attachments")
struct AttachmentTests {
    private static let png: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] + [UInt8](repeating: 1, count: 100)

    /// In pieces of a few bytes, so that the signature comes in several.
    private static func pieces(_ bytes: [UInt8], of size: Int = 5) -> AsyncStream<ByteBuffer> {
        AsyncStream { stream in
            for start in Swift.stride(from: 0, to: bytes.count, by: size) {
                stream.yield(ByteBuffer(bytes: bytes[start..<min(start + size, bytes.count)]))
            }
            stream.finish()
        }
    }

    private func upload(
        _ bytes: [UInt8] = png, as type: String? = "image/png", saying size: Int64? = nil, by caller: Caller, _ site: TestCommunity
    ) async throws -> DiscussionAttachment {
        try await site.community.attachments.receive(type, sizeBytes: size, body: Self.pieces(bytes), by: caller)
    }

    @Test("are for their owner, then for the readers of the repository whose discussion shows them")
    func rights() async throws {
        let site = try await TestCommunity()
        let (attachments, discussions) = (site.community.attachments, site.community.discussions)
        let picture = try await upload(by: site.ada, site)
        #expect(picture.sizeBytes == Int64(Self.png.count))
        let address = "![x](https://hub.test/uploads/\(picture.publicID).png)"
        #expect(try await attachments.find(picture.publicID, by: site.ada.principal) == picture)
        await #expect(throws: AttachmentError.notFound) {
            try await attachments.find(picture.publicID, by: site.bob.principal)
        }
        await #expect(throws: IdentityError.signInRequired(tokenPage: site.identity.settings.tokenPage)) {
            try await attachments.find(picture.publicID, by: .anonymous)
        }
        let repository = try await site.repository
        let discussion = try await discussions.open(title: "See", description: "", in: repository, by: site.bob)
        // Who knows the address of a picture of somebody else opens it to nobody.
        _ = try await discussions.comment(address, on: discussion, in: repository, by: site.bob)
        await #expect(throws: AttachmentError.notFound) {
            try await attachments.find(picture.publicID, by: site.bob.principal)
        }
        _ = try await discussions.comment(address, on: discussion, in: repository, by: site.ada)
        #expect(try await attachments.find(picture.publicID, by: site.bob.principal) == picture)
        // The repository is hidden, and with it what its discussions show.
        _ = try await site.store.updateRepository(
            repository.id, RepositoryChange(visibility: .set(.private)), audit: site.ada.entry("test", on: "test"))
        await #expect(throws: AttachmentError.notFound) {
            try await attachments.find(picture.publicID, by: site.bob.principal)
        }
        try await site.close()
    }

    @Test(
        "refuse what is not what it says",
        arguments: [
            ("text/html", [UInt8]("<script>alert(1)</script>".utf8)), ("image/svg+xml", [UInt8]("<svg/>".utf8)),
            ("image/png", [UInt8]("<script>alert(1)</script>".utf8)), ("image/png", []), ("image/png", [0x89, 0x50]),
            ("image/webp", [UInt8]("RIFFxxxxWAVExxxx".utf8)), ("", png), ("image/jpeg", png),
        ])
    func refusals(type: String, bytes: [UInt8]) async throws {
        let site = try await TestCommunity()
        await #expect(throws: AttachmentError.self) { try await upload(bytes, as: type, by: site.ada, site) }
        #expect(try await site.objects.list(after: nil, limit: 10).isEmpty)
        try await site.close()
    }

    @Test(
        "know their formats",
        arguments: [
            (AttachmentType.gif, "GIF89axxxxxxx"), (.webp, "RIFFxxxxWEBPxxxx"), (.wav, "RIFFxxxxWAVExxxx"),
            (.mp4, "\0\0\0\u{18}ftypisomxxxx"), (.quicktime, "\0\0\0\u{18}ftypqt  xxxx"), (.mp3, "ID3xxxxxxxxxxxx"),
        ])
    func formats(type: AttachmentType, text: String) async throws {
        let site = try await TestCommunity()
        let made = try await upload(Array(text.utf8), as: type.rawValue.uppercased() + "; a=b", by: site.bob, site)
        #expect(made.type == type)
        try await site.close()
    }

    @Test("are bounded in size, said or sent, and in number")
    func bounds() async throws {
        let site = try await TestCommunity()
        await #expect(throws: AttachmentError.tooLarge(limit: 10_000_000)) {
            try await upload(saying: 10_000_001, by: site.ada, site)
        }
        let large = [UInt8](Self.png + [UInt8](repeating: 0, count: 10_000_000))
        await #expect(throws: AttachmentError.tooLarge(limit: 10_000_000)) {
            try await site.community.attachments.receive(
                "image/png", sizeBytes: nil, body: Self.pieces(large, of: 1 << 20), by: site.ada)
        }
        for _ in 0..<Attachments.maximumUnused { _ = try await upload(by: site.ada, site) }
        await #expect(throws: AttachmentRecordError.tooManyUnused(limit: Attachments.maximumUnused)) {
            try await upload(by: site.ada, site)
        }
        _ = try await upload(by: site.bob, site)
        await #expect(throws: IdentityError.signInRequired(tokenPage: site.identity.settings.tokenPage)) {
            try await upload(by: Caller(.anonymous), site)
        }
        try await site.close()
    }

    @Test("go when no text mentions them for a day; those that one mentions stay")
    func sweep() async throws {
        let site = try await TestCommunity()
        let used = try await upload(by: site.ada, site)
        let unused = try await upload(Self.png + [2], by: site.ada, site)
        let repository = try await site.repository
        _ = try await site.community.discussions.open(
            title: "See", description: "/uploads/\(used.publicID)", in: repository, by: site.ada)
        let lfs = LFSService(
            store: site.store, objects: site.objects, signer: TransferSigner(key: [UInt8](repeating: 7, count: 32)))
        let sweeper = ObjectSweeper(lfs: lfs, logger: .init(label: "test"))
        let tomorrow = Date().addingTimeInterval(ObjectSweeper.grace + 60)
        #expect(try await sweeper.sweep(now: tomorrow) == 1)
        #expect(try await site.store.attachment(unused.publicID) == nil)
        #expect(try await site.store.attachment(used.publicID) == used)
        #expect(try await site.objects.stat(unused.object) == nil)
        #expect(try await site.objects.stat(used.object) != nil)
        try await site.close()
    }
}
