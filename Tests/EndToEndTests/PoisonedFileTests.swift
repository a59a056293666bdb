import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    /// Cards and model files that are wrong, pushed by stock git, beside a repository that is right.
    @Suite("Poisoned files")
    struct PoisonedFileTests {
        /// All 500 with the long runs; every twelfth of them else.
        private static let stride = EndToEnd.isFull ? 1 : 12

        let hub: HubProcess
        let ada: GitClient

        init() throws {
            hub = try HubProcess.started()
            ada = try hub.client("ada")
        }

        /// The files as branches `file-0`, `file-1`, … of one working copy, each with a commit of its own.
        private func branches(_ files: [PoisonedFiles.File]) throws -> WorkingCopy {
            let copy = try WorkingCopy(client: ada, path: ada.folder.folder("poisoned"))
            try copy.git("init", "--quiet")
            var stream = Data()
            for (index, file) in files.enumerated() {
                let head = """
                    commit refs/heads/file-\(index)
                    committer Ada <ada@example.org> 1700000000 +0000
                    data 4
                    Add

                    M 100644 inline \(file.path)
                    data \(file.bytes.count)

                    """
                stream += Data(head.utf8) + Data(file.bytes) + Data("\n".utf8)
            }
            let input = ada.folder.file("stream")
            try stream.write(to: URL(fileURLWithPath: input))
            try copy.git("fast-import", "--quiet", "--force", input: input)
            return copy
        }

        private func info(_ name: String) throws -> HTTPAnswer {
            try hub.http("/api/models/ada/\(name)", "--header", "Authorization: Bearer \(ada.password)")
        }

        private func pushGood(_ name: String) throws {
            let copy = try ada.repository("ada/\(name)", files: ["README.md": "---\nlicense: mit\ntags: [good]\n---\n# Good\n"])
            let weights = ModelFiles.safetensors([("a", "F32", [2, 3]), ("b", "BF16", [4])])
            try Data(weights).write(to: URL(fileURLWithPath: copy.file("model.safetensors")))
            try copy.git("add", "--all")
            try copy.git("commit", "--quiet", "--message", "Add weights")
            try copy.git("push", "--quiet", "origin", "HEAD:main")
            try waitFor("the facts of ada/\(name)") {
                let body = try info(name).body
                return body.contains("license:mit") && body.contains("\"BF16\":4")
            }
        }

        @Test("500 malformed cards and model files change nothing but their own repositories")
        func corpus() throws {
            var mutator = Mutator()
            let all = PoisonedFiles.corpus(count: 500, &mutator)
            let files = Swift.stride(from: 0, to: all.count, by: Self.stride).map { all[$0] }
            try pushGood("good")
            let before = try info("good")
            let copy = try branches(files)
            for index in files.indices {
                try hub.run("repository", "create", "model", "ada/file-\(index)")
                let push = try ada.attempt(
                    ["push", "--quiet", hub.address("models/ada/file-\(index)"), "file-\(index):refs/heads/main"], in: copy.path)
                #expect(push.succeeded, "seed \(mutator.seed), \(files[index].path): \(push)")
            }
            // The indexer works on, and comes to what was pushed last.
            try pushGood("last")
            #expect(try info("good").body == before.body, "seed \(mutator.seed)")
            for index in files.indices {
                #expect(try info("file-\(index)").status == 200, "seed \(mutator.seed), file \(index), \(files[index].path)")
            }
            let list = try hub.http("/api/models?author=ada&full=true&limit=1000", "--header", "Authorization: Bearer \(ada.password)")
            #expect(list.status == 200)
            #expect(list.body.components(separatedBy: "\"id\":\"ada/").count - 1 == files.count + 2, "seed \(mutator.seed)")
        }
    }
}
