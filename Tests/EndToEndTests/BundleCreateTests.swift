import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    /// `csghub bundle create` as people type it.
    @Suite("Making bundles by the command")
    struct BundleCreateTests {
        private let home: TemporaryFolder
        private var environment: [String: String] { ["HOME": home.path, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"] }

        init() throws { home = try TemporaryFolder("home") }

        private func create(_ words: String..., seconds: Int = 120) throws -> CommandOutput { try create(words, seconds: seconds) }

        private func create(_ words: [String], seconds: Int = 120) throws -> CommandOutput {
            try CommandOutput.of(
                [HubProcess.binary ?? "csghub", "bundle", "create"] + words, in: home.path, environment: environment, seconds: seconds)
        }

        /// A folder with large files of these sizes and some small ones.
        private func source(_ sizes: [Int], name: String = "source") throws -> String {
            let folder = try home.folder(name)
            try "# Model\n".write(toFile: folder + "/README.md", atomically: true, encoding: .utf8)
            for (n, size) in sizes.enumerated() { try Content.write(to: "\(folder)/part-\(n).safetensors", bytes: size, seed: UInt64(n) + 1) }
            return folder
        }

        private func volumes(below mount: String) throws -> [(name: String, bytes: Int)] {
            let paths = FileManager.default.enumerator(atPath: mount)?.allObjects as? [String] ?? []
            return paths.filter { $0.hasSuffix(".tar") }.sorted().map { (String($0.split(separator: "/").last ?? ""), fileBytes("\(mount)/\($0)")) }
        }

        private func verify(_ mounts: [String]) throws -> CommandOutput {
            try CommandOutput.of([HubProcess.binary ?? "csghub", "bundle", "verify"] + mounts, environment: environment)
        }

        @Test("wrong words are 64 and say what to write; what is not there is no crash")
        func usage() throws {
            let folder = try source([1000])
            let out = try home.folder("out")
            // Told before anything is read, and before keys are made.
            let missing = try create("--out", home.file("none"), "--folder", folder, "--as", "model", "ada/m")
            #expect(missing.status != 0 && missing.stderr.contains("none"), "\(missing)")
            #expect(!FileManager.default.fileExists(atPath: home.file(".config")))
            for words in [
                ["--folder", folder, "--as", "model", "ada/m"], ["--out", out], ["--out", out, "--folder", folder],
                ["--out", out, "--folder", folder, "--as", "model"], ["--out", out, "--folder", folder, "--as", "model", "ada/m", "--stream", "../x"],
                ["--out", out, "--folder", folder, "--as", "model", "ada/m", "--volume-size", "1M"],
                ["--out", out, "--folder", folder, "--as", "model", "ada/m", "--volume-size", "much"],
                ["--out", out, "--folder", folder, "--as", "model", "ada/m", "--media", "floppy"],
                ["--out", out, "--repository", "model", "ada/m@"], ["--out", out, "--folder", folder, "--as", "model", "ada/m", "--as", "model", "ada/n"],
            ] {
                let output = try create(words)
                #expect(output.status == 64 && !output.stderr.isEmpty, "\(words): \(output)")
            }
            for words in [
                ["--out", out, "--folder", folder + "/none", "--as", "model", "ada/m"], 
                ["--out", out, "--folder", folder, "--as", "model", "no-slash"], ["--out", out, "--folder", folder, "--as", "robot", "ada/m"],
                ["--out", out, "--collection", folder + "/README.md.none"], ["--out", out, "--cache", folder + "/none"],
                ["--out", out, "--folder", folder, "--as", "model", "ada/m", "--since", folder + "/README.md"],
                ["--out", out, "--folder", folder, "--as", "model", "ada/m", "--assume", "0123456789abcdef"],
                ["--out", out, "--folder", folder, "--as", "model", "ada/m", "--sign", folder + "/README.md"],
            ] {
                let output = try create(words)
                #expect([1, 64, 65, 69, 75, 77].contains(output.status) && !output.stderr.isEmpty, "\(words): \(output)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: out).isEmpty)
        }

        @Test("--dry-run tells the sizes that the real run has, needs no --out and writes nothing")
        func dryRun() throws {
            let folder = try source([90_000_000, 3_000_000])
            let words = ["--folder", folder, "--as", "model", "ada/m", "--volume-size", "70MB"]
            let told = try create(words + ["--dry-run"])
            #expect(told.succeeded, "\(told)")
            let out = try home.folder("out")
            #expect(try create(words + ["--dry-run", "--out", out]).succeeded)
            #expect(try FileManager.default.contentsOfDirectory(atPath: out).isEmpty)
            let made = try create(words + ["--out", out])
            #expect(made.succeeded, "\(made)")
            let lines = told.stdout.split(separator: "\n").filter { $0.hasPrefix("volume\t") }
            let sizes = lines.compactMap { $0.split(separator: "\t").last.flatMap { Int($0) } }
            #expect(try volumes(below: out).map(\.bytes) == sizes && sizes.count == 2, "\(told)")
        }

        @Test("no volume exceeds the limit, over several mounts; each is a bundle that can be checked alone with stock tools")
        func limits() throws {
            let folder = try source([100_000_000, 64 << 20, 60_000_000, 1, 5_000_000])
            let mounts = try (1...4).map { try home.folder("stick\($0)") }
            let limit = 67_500_000
            let made = try create(
                ["--folder", folder, "--as", "model", "ada/m", "--volume-size", "\(limit)", "--out"] + mounts)
            #expect(made.succeeded, "\(made)")
            let all = try mounts.flatMap { try volumes(below: $0) }
            #expect(all.count >= 4 && all.allSatisfy { $0.bytes <= limit }, "\(all)")
            #expect(all.map(\.name) == all.indices.map { "00000\($0 + 1).tar" })
            for path in made.stdout.split(separator: "\n").map(String.init) {
                #expect(try CommandOutput.of(["sha256sum", "-c", "--quiet", "SHA256SUMS"], in: path).succeeded)
                let manifest = try CommandOutput.of(["sha256sum", path + "/BUNDLE.json"]).line
                #expect(path.hasSuffix("-" + manifest.prefix(16)))
            }
            let checked = try verify(mounts)
            #expect(checked.succeeded && checked.text.contains("\(all.count) of \(all.count) volumes"), "\(checked)")
        }

        @Test("ended by kill -9 at any instant, the same command goes on and makes one whole bundle")
        func killed() throws {
            let folder = try source([150_000_000, 40_000_000])
            let mounts = try (1...3).map { try home.folder("stick\($0)") }
            let words = ["--folder", folder, "--as", "model", "ada/m", "--volume-size", "80M", "--out"] + mounts
            var kills = 0
            for _ in 0..<(EndToEnd.isFull ? 50 : 6) {
                let output = try CommandOutput.of(
                    ["timeout", "--signal=KILL", String(Double.random(in: 0.02...0.25)), HubProcess.binary ?? "csghub", "bundle", "create"] + words,
                    in: home.path, environment: environment)
                if output.succeeded { break }
                kills += 1
                // What is not sealed is no bundle.
                for mount in mounts { #expect(try verify([mount]).status != 65) }
            }
            let last = try create(words)
            #expect(last.succeeded && (kills > 0), "\(kills) kills: \(last)")
            #expect(try verify(mounts).succeeded)
            for mount in mounts {
                let names = try FileManager.default.contentsOfDirectory(atPath: mount + "/HUBBUNDLE")
                #expect(names.allSatisfy { !$0.hasPrefix("creating-") }, "\(names)")
            }
        }

        @Test("a collection names sources, an alias and a file to attach; all of it arrives")
        func collection() throws {
            let hub = try HubProcess.started()
            let (model, data) = (try source([70_000]), try source([], name: "data"))
            try #"{"spdxVersion":"SPDX-3.0.1"}"#.write(toFile: home.file("sbom.json"), atomically: true, encoding: .utf8)
            let text = """
                # what goes out this month
                folder \(model) as model openai-community/gpt2
                folder \(data) as dataset ada/corpus
                alias model gpt2 = openai-community/gpt2
                attach model openai-community/gpt2 spdx-3.0.1+json \(home.file("sbom.json"))
                """
            try text.write(toFile: home.file("list"), atomically: true, encoding: .utf8)
            let out = try home.folder("out")
            let made = try create("--collection", home.file("list"), "--out", out)
            #expect(made.succeeded, "\(made)")
            let root = made.stdout.split(separator: "\n").first.map { $0 + "/trust/root.1.json" } ?? ""
            let fingerprint = try CommandOutput.of([HubProcess.binary ?? "csghub", "trust", "fingerprint", root], environment: environment).line
            try hub.run("trust", "add", root, "--fingerprint", fingerprint.split(separator: " ").dropFirst().joined(separator: " "))
            try hub.importing([out], status: 0)
            let carol = try hub.client("carol", scope: "read")
            let words = ["--header", "Authorization: Bearer \(carol.password)"]
            // By the name of one part, as transformers asks.
            #expect(try hub.http("/gpt2/resolve/main/README.md", words).status == 200 || hub.http("/gpt2/resolve/main/README.md", words + ["--location"]).status == 200)
            #expect(try hub.http("/api/datasets/ada/corpus", words).status == 200)
            let object = try Content.sha256(of: home.file("sbom.json"))
            #expect(try hub.http("/api/hub/v1/repositories/model/openai-community/gpt2/objects/\(object)", words).body.contains("SPDX-3.0.1"))
            for line in ["folder x", "alias model a b", "attach model none/none x /y", "robot a/b", "cache"] {
                try (text + "\n" + line).write(toFile: home.file("list"), atomically: true, encoding: .utf8)
                let output = try create("--collection", home.file("list"), "--out", out, "--stream", "other")
                #expect([1, 64, 65].contains(output.status) && !output.stderr.isEmpty, "\(line): \(output)")
            }
        }

        @Test("media of which one has too little room: the others take more, or the next is asked for")
        func smallMedium() throws {
            guard geteuid() == 0 else { return }
            let folder = try source([120_000_000])
            let mounts = try (1...2).map { try home.folder("stick\($0)") }
            for (mount, size) in zip(mounts, ["90m", "100m"]) {
                #expect(try CommandOutput.of(["mount", "-t", "tmpfs", "-o", "size=\(size)", "tmpfs", mount]).succeeded)
            }
            defer { for mount in mounts { _ = umount2(mount, Int32(MNT_DETACH)) } }
            let words = ["--folder", folder, "--as", "model", "ada/m", "--volume-size", "68M", "--out"]
            // One is not enough; nobody can be asked for the next here.
            let first = try create(words + [mounts[0]])
            #expect(first.status != 0 && first.stderr.contains("edium 2 of 2 is needed"), "\(first)")
            let second = try create(words + [mounts[1]])
            #expect(second.succeeded, "\(second)")
            #expect(try verify(mounts).succeeded)
        }
    }
}
