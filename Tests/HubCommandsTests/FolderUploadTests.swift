import Foundation
import HTTPTypes
import HubAPI
import HubCore
import NIOCore
import Testing

@testable import HubCommands

@Suite("Uploading a folder")
struct FolderUploadTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/upload-" + UUID().uuidString

    init() throws {
        try FileManager.default.createDirectory(atPath: folder + "/sub", withIntermediateDirectories: true)
    }

    private func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: folder + "/" + name))
    }

    private func writeSparse(_ name: String, _ bytes: UInt64) throws {
        try write(name, "")
        let file = try FileHandle(forWritingTo: URL(filePath: folder + "/" + name))
        try file.truncate(atOffset: bytes)
        try file.close()
    }

    /// A hub with a repository that has `attributes` and all objects but those of `missing` sizes.
    private func hub(attributes: String? = nil, isUnchanged: Bool = false) -> ScriptedHub {
        ScriptedHub { request in
            switch (request.method, request.path.last) {
            case (.get, "file"): attributes.map { (200, $0) } ?? (404, Self.refusal("file_not_found"))
            case (.get, "references"):
                (200, "{\"items\":[{\"name\":\"refs/heads/main\",\"oid\":\"0ld\",\"peeled\":null}],\"next\":null}")
            case (.get, _): (200, Self.repository)
            case (.post, "missing"):
                if case .bytes(let body) = request.body { (200, String(buffer: body)) } else { (500, "") }
            case (.post, "commits"):
                isUnchanged
                    ? (400, Self.refusal("nothing_to_commit")) : (201, "{\"branch\":\"main\",\"commit\":\"c0ffee\"}")
            default: (200, "{\"oid\":\"x\",\"size_bytes\":1}")
            }
        }
    }

    private static func refusal(_ code: String) -> String {
        "{\"error\":{\"code\":\"\(code)\",\"message\":\"No.\",\"request_id\":null}}"
    }

    private static let repository = """
        {"created_at":"2026-01-31T12:00:00Z","default_branch":"main","deleted_at":null,"description":null,"gate":"none","is_protected":false,"id":"1","kind":"model",\
        "name":"m","namespace":"ada","updated_at":"2026-01-31T12:00:00Z","visibility":"private"}
        """

    /// The changes of the commit that was sent, by path.
    private func commit(_ hub: ScriptedHub) throws -> [String: CommitLine] {
        let body = try #require(hub.requests.last { $0.line.contains("/commits") }?.body)
        let lines = try body.split(separator: "\n").map {
            try JSONForm.decode(CommitLine.self, from: ByteBuffer(string: String($0)))
        }
        #expect(lines.first?.header != nil)
        return Dictionary(
            uniqueKeysWithValues: lines.dropFirst().map {
                ($0.file?.path ?? $0.lfsFile?.path ?? $0.delete?.path ?? "", $0)
            })
    }

    private func text(_ line: CommitLine?) -> String? {
        (line?.file?.content).flatMap { Data(base64Encoded: $0) }.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("names and sizes decide what is large, and .gitattributes says so afterwards")
    func plan() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try write("README.md", "# Hi\n")
        try write("small.bin", "weights")
        try write("empty.bin", "")
        try write("run.sh", "#!/bin/sh\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder + "/run.sh")
        try writeSparse("sub/big file.dat", 10 << 20)
        try writeSparse("nearly.dat", (10 << 20) - 1)
        let hub = hub()
        let console = TestConsole()
        #expect(await hub.run("repository", "upload", "model", "ada/m", folder, on: console) == 0)
        #expect(console.output == "c0ffee\n")
        let lines = try commit(hub)
        #expect(
            Set(lines.keys) == [
                ".gitattributes", "README.md", "small.bin", "empty.bin", "run.sh", "sub/big file.dat", "nearly.dat",
            ])
        // echo -n weights | sha256sum
        #expect(lines["small.bin"]?.lfsFile?.oid == "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c")
        #expect(lines["sub/big file.dat"]?.lfsFile?.sizeBytes == 10 << 20)
        #expect(text(lines["empty.bin"]) == "" && text(lines["README.md"]) == "# Hi\n")
        #expect(lines["run.sh"]?.file?.isExecutable == true && lines["README.md"]?.file?.isExecutable == false)
        #expect(lines["nearly.dat"]?.file != nil)
        let attributes = try #require(text(lines[".gitattributes"]))
        #expect(attributes.hasPrefix(LargeFilePatterns.attributes(for: .model)))
        #expect(attributes.hasSuffix("/sub/big[[:space:]]file.dat filter=lfs diff=lfs merge=lfs -text\n"))
        #expect(hub.requests.filter { $0.line.hasPrefix("PUT") }.count == 2)
    }

    @Test("the folder's own .gitattributes count, also those of its folders")
    func ownAttributes() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try write(".gitattributes", "*.dat filter=lfs")
        try write("sub/.gitattributes", "raw.dat -filter\n")
        try write("a.dat", "a")
        try write("sub/raw.dat", "b")
        try write("a.bin", "c")
        let hub = hub(attributes: "*.bin filter=lfs\n")
        #expect(await hub.run("repository", "upload", "models/ada/m", folder) == 0)
        let lines = try commit(hub)
        #expect(lines["a.dat"]?.lfsFile != nil && lines["sub/raw.dat"]?.file != nil && lines["a.bin"]?.file != nil)
        #expect(
            text(lines[".gitattributes"]) == "*.dat filter=lfs"
                && text(lines["sub/.gitattributes"]) == "raw.dat -filter\n")
    }

    @Test("the repository's .gitattributes is kept when the folder has none")
    func storedAttributes() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try write("a.dat", "a")
        try write("a.bin", "c")
        let hub = hub(attributes: "*.dat filter=lfs\n")
        #expect(await hub.run("repository", "upload", "models/ada/m", folder) == 0)
        let lines = try commit(hub)
        #expect(lines["a.dat"]?.lfsFile != nil && lines["a.bin"]?.file != nil && lines[".gitattributes"] == nil)
    }

    @Test("what is there already prints the commit that the branch is at")
    func unchanged() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try write("a.txt", "a")
        let console = TestConsole()
        #expect(await hub(isUnchanged: true).run("repository", "upload", "models/ada/m", folder, on: console) == 0)
        #expect(console.output == "0ld\n" && console.errors.contains("already"))
    }

    @Test("a pointer that stands for a file that is not here is refused, as is an empty folder")
    func refusals() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(await hub().run("repository", "upload", "models/ada/m", folder) == 65)
        try write("model.txt", LFSPointer(oid: ObjectID(digest: [UInt8](repeating: 1, count: 32)), sizeBytes: 5).text)
        let console = TestConsole()
        #expect(await hub().run("repository", "upload", "models/ada/m", folder, on: console) == 65)
        #expect(console.errors.contains("git lfs pull"), "\(console.errors)")
    }
}
