import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    @Suite("Large repositories")
    struct LargeRepositoryTests {
        let hub: HubProcess
        let ada: GitClient

        init() throws {
            hub = try HubProcess.started(tls: true)
            ada = try hub.client("ada")
        }

        @Test("a model of 250 MB goes up by LFS and comes down the same, by TLS", .tags(.slow))
        func model() throws {
            let copy = try ada.repository("ada/model")
            try copy.trackLargeFiles()
            try Content.writeSafetensors(to: copy.file("model.safetensors"), bytes: 250_000_000)
            try copy.commit(["config.json": "{}\n"], message: "Add the model")
            try copy.git("push", "--quiet", "origin", "main")

            let clone = try ada.clone("models/ada/model", to: "clone")
            #expect(
                try Content.sha256(of: clone.file("model.safetensors"))
                    == Content.sha256(of: copy.file("model.safetensors")))
            let export = try hub.verifyExport(of: "models/ada/model", for: ada)
            #expect(try ada.git("-C", export, "lfs", "fsck", "--objects", "main").contains("OK"))
        }

        @Test("3,000 commits and 5,000 refs go up and come down", .tags(.slow))
        func manyCommitsAndReferences() throws {
            let copy = try ada.repository("ada/history")
            try copy.importHistory(commits: 3000)
            try copy.makeReferences((0..<5000).map { "refs/heads/topic/\($0 % 50)/\($0)" }, at: "main~7")
            try copy.makeReferences((0..<100).map { "refs/tags/v\($0)" }, at: "main~70")
            try copy.git("push", "--quiet", "origin", "refs/heads/*", "refs/tags/*")

            let mirror = try ada.clone("models/ada/history", flags: ["--mirror"], to: "mirror")
            #expect(try mirror.git("for-each-ref") == copy.git("for-each-ref", "refs/heads", "refs/tags"))
            #expect(try mirror.git("rev-list", "--count", "main") == "3000")
            #expect(try copy.git("ls-remote", "origin", "refs/heads/topic/7/*").split(separator: "\n").count == 100)

            let export = try hub.verifyExport(of: "models/ada/history", for: ada)
            #expect(try ada.git("-C", export, "for-each-ref") == mirror.git("for-each-ref"))
        }

        @Test("a pack of 300 MB goes up and comes down", .tags(.slow))
        func largePack() throws {
            let copy = try ada.repository("ada/pack")
            for index in 0..<6 {
                try Content.write(to: copy.file("part-\(index).bin"), bytes: 50_000_000, seed: UInt64(index + 1))
            }
            try copy.git("config", "core.compression", "0")
            try copy.commit([:], message: "Add six parts")
            try copy.git("push", "--quiet", "origin", "main")

            let clone = try ada.clone("models/ada/pack", to: "clone")
            #expect(try clone.git("rev-parse", "HEAD^{tree}") == copy.git("rev-parse", "HEAD^{tree}"))
            try clone.git("fsck", "--full", "--strict")
            try hub.verifyExport(of: "models/ada/pack", for: ada)
        }
    }
}

extension Tag {
    /// Takes more than ten seconds.
    @Tag static var slow: Tag
    /// Needs root: namespaces, mounts.
    @Tag static var needsRoot: Tag
}
