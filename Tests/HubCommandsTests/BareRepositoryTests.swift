import Foundation
import HubAPI
import NIOCore
import Testing

@testable import HubCommands

@Suite("Writing a bare repository")
struct BareRepositoryTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/bare-" + UUID().uuidString

    private var repository: BareRepository { BareRepository(folder: folder) }
    private func text(_ name: String) -> String? { try? String(contentsOfFile: folder + "/" + name, encoding: .utf8) }

    @Test("HEAD comes last, refs are packed in git's order with what tags name")
    func layout() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try repository.begin()
        #expect(text("HEAD") == nil && text("csghub-export-unfinished") != nil)
        let (one, two) = (String(repeating: "1", count: 40), String(repeating: "2", count: 40))
        try repository.finish(
            head: "refs/heads/dev",
            references: [
                ExportLine.Ref(name: "refs/tags/v1", oid: two, peeled: one),
                ExportLine.Ref(name: "refs/heads/dev", oid: one),
                ExportLine.Ref(name: "refs/heads/Dev", oid: one),
            ])
        #expect(text("HEAD") == "ref: refs/heads/dev\n")
        #expect(
            text("packed-refs") == """
                # pack-refs with: peeled fully-peeled sorted \n\(one) refs/heads/Dev
                \(one) refs/heads/dev
                \(two) refs/tags/v1
                ^\(one)

                """)
        #expect(text("csghub-export-unfinished") == nil && text("config")?.contains("bare = true") == true)
    }

    @Test("a folder with something else in it is left alone, an unfinished export is taken up")
    func folders() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try repository.begin()
        try repository.begin()
        try repository.finish(head: "refs/heads/main", references: [])
        #expect(throws: CommandFailure.self) { try repository.begin() }
        #expect(throws: CommandFailure.self) { try BareRepository(folder: folder + "/none/below").begin() }
        #expect(throws: CommandFailure.self) { try BareRepository(folder: folder + "/HEAD").begin() }
    }

    @Test("a file appears under its name only when it is whole")
    func files() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try repository.begin()
        await #expect(throws: CommandFailure.self) {
            try await repository.fill("lfs/objects/ab/cd/x", sizeBytes: 10) {
                try $0.append(ByteBuffer(string: "short"))
            }
        }
        #expect(!repository.has("lfs/objects/ab/cd/x", sizeBytes: nil))
        try await repository.fill("lfs/objects/ab/cd/x", sizeBytes: 5) { try $0.append(ByteBuffer(string: "whole")) }
        #expect(
            repository.has("lfs/objects/ab/cd/x", sizeBytes: 5) && !repository.has("lfs/objects/ab/cd/x", sizeBytes: 6))
        #expect(text("lfs/objects/ab/cd/x") == "whole")
    }
}
