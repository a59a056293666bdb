import Foundation
import HubTestSupport
import Testing

@testable import HubCommands

@Suite("Making bundles at the command line")
struct BundleCreateTests {
    private let folder: TemporaryFolder
    private let console = TestConsole()

    init() throws {
        folder = try TemporaryFolder("create")
        let source = try folder.folder("source")
        try Content.write(to: source + "/weights.safetensors", bytes: 3_000_000, seed: 1)
        try Data(String(repeating: "{\"text\": \"again\"}\n", count: 40_000).utf8).write(to: URL(filePath: source + "/train.jsonl"))
        try Data("# Data\n".utf8).write(to: URL(filePath: source + "/README.md"))
    }

    private func create(_ words: String..., on console: TestConsole? = nil) async -> Int32 {
        let session = CommandSession(
            console: (console ?? self.console).console(), environment: ["HOME": folder.path, "USER": "ada"]
        ) { _, _ in throw HubCommands.CommandFailure(.unavailable, "There is no hub.") }
        return await HubCommand.run(
            ["bundle", "create", "--folder", folder.file("source"), "--as", "dataset", "acme/data"] + words, in: session)
    }

    @Test("what --out names is looked at before anything is read, and the message says what to do")
    func outputs() async throws {
        let (stick, file) = (try folder.folder("stick"), folder.file("source/README.md"))
        #expect(await create("--out", stick, folder.file("none")) == 64)
        #expect(console.errors.contains("\(folder.file("none")) does not exist. Mount the medium there, or make the folder"))
        #expect(await create("--out", stick, file) == 64)
        #expect(console.errors.contains("\(file) is not a folder. Name a folder"))
        #expect(await create("--out", stick, stick + "/.") == 64)
        #expect(console.errors.contains("are one folder. Name each medium once."))
        // A dry run says the same, and nothing was begun: no key, no work folder.
        #expect(await create("--dry-run", "--out", folder.file("none")) == 64)
        #expect(!FileManager.default.fileExists(atPath: folder.file(".config")))
        #expect(!FileManager.default.fileExists(atPath: folder.file(".local")))
        #expect(try FileManager.default.contentsOfDirectory(atPath: stick).isEmpty)
    }

    @Test("a dry run tells what will be on the media to the byte")
    func dryRun() async throws {
        let (stick, dry) = (try folder.folder("stick"), TestConsole())
        #expect(await create("--dry-run", "--out", stick, on: dry) == 0, "\(dry.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: stick).isEmpty)
        #expect(await create("--out", stick) == 0, "\(console.errors)")
        let files = try #require(FileManager.default.enumerator(atPath: stick + "/HUBBUNDLE")).compactMap { $0 as? String }
        var bytes = 0
        for file in files {
            let facts = try FileManager.default.attributesOfItem(atPath: "\(stick)/HUBBUNDLE/\(file)")
            if facts[.type] as? FileAttributeType == .typeRegular { bytes += (facts[.size] as? NSNumber)?.intValue ?? 0 }
        }
        #expect(files.contains { $0.hasSuffix("README.txt") } && bytes > 3_000_000)
        #expect(dry.lines.contains("medium\t1\t\(bytes)") && dry.lines.contains("total\t\(bytes)"), "\(bytes) of \(dry.lines)")
    }
}
