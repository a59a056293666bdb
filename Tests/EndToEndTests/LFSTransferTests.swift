import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    @Suite("LFS transfers")
    struct LFSTransferTests {
        let hub: HubProcess
        let ada: GitClient
        let folder: TemporaryFolder
        private let repository = "models/ada/large"

        init() throws {
            hub = try HubProcess.started(tls: true)
            ada = try hub.client("ada")
            folder = try TemporaryFolder("lfs")
            try hub.run("repository", "create", "model", "ada/large")
        }

        @Test("an interrupted download goes on where it stopped")
        func resume() throws {
            let copy = try ada.repository("ada/resumed")
            try copy.trackLargeFiles()
            try Content.writeSafetensors(to: copy.file("m.safetensors"), bytes: 20_000_000)
            try copy.commit([:], message: "Add a model")
            try copy.git("push", "--quiet", "origin", "main")

            let clone = try ada.clone("models/ada/resumed", to: "clone", variables: ["GIT_LFS_SKIP_SMUDGE": "1"])
            let oid = try Content.sha256(of: copy.file("m.safetensors"))
            let incomplete = clone.file(".git/lfs/incomplete")
            try FileManager.default.createDirectory(atPath: incomplete, withIntermediateDirectories: true)
            let whole = try Data(contentsOf: URL(filePath: copy.file("m.safetensors")), options: .alwaysMapped)
            try Data(whole.prefix(7_000_001)).write(to: URL(filePath: "\(incomplete)/\(oid).part"))

            let output = try clone.attempt(["lfs", "pull"], variables: ["GIT_TRACE": "1", "GIT_CURL_VERBOSE": "1"])
            #expect(output.succeeded, "\(output)")
            #expect(output.stderr.contains("206 Partial Content"), "\(output)")
            #expect(try Content.sha256(of: clone.file("m.safetensors")) == oid)
        }

        @Test("ranges, HEAD and the tag of an object are as HTTP has them")
        func ranges() throws {
            let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: 33 + $0 % 90) }
            try Data(bytes).write(to: URL(filePath: folder.file("object")))
            let oid = try ada.upload(folder.file("object"), to: repository)
            let action = try #require(
                try ada.batch("download", [(oid, 100_000)], in: repository).objects.first?.actions?["download"])
            func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

            let whole = try ada.follow(action)
            #expect(
                whole.status == 200 && whole.headers["content-length"] == "100000"
                    && whole.headers["accept-ranges"] == "bytes")
            #expect(whole.headers["etag"]?.contains(oid) == true && whole.headers["content-encoding"] == nil)
            for (range, first, last) in [
                ("0-9", 0, 9), ("99990-", 99_990, 99_999), ("-5", 99_995, 99_999), ("5-200000", 5, 99_999),
            ] {
                let part = try ada.follow(action, "--range", range)
                #expect(
                    part.status == 206 && part.headers["content-range"] == "bytes \(first)-\(last)/100000", "\(range)")
                #expect(part.body == text(first..<(last + 1)))
            }
            #expect(try ada.follow(action, "--range", "100000-").status == 416)
            let head = try ada.follow(action, "--head")
            #expect(head.status == 200 && head.headers["content-length"] == "100000")
        }

        @Test("bytes of another hash, too few and too many of them are refused and nothing stays")
        func wrongBytes() throws {
            try Content.write(to: folder.file("right"), bytes: 300_000)
            try Content.write(to: folder.file("wrong"), bytes: 300_000, seed: 7)
            try Content.write(to: folder.file("short"), bytes: 299_999)
            try Content.write(to: folder.file("long"), bytes: 300_001)
            let oid = try Content.sha256(of: folder.file("right"))
            for file in ["wrong", "short", "long"] {
                let action = try #require(
                    try ada.batch("upload", [(oid, 300_000)], in: repository).objects.first?.actions?["upload"])
                let answer = try ada.follow(action, "--upload-file", folder.file(file))
                #expect([400, 413, 422].contains(answer.status), "\(file): \(answer)")
                #expect(answer.body.contains("message"), "\(file): \(answer)")
            }
            let download = try ada.batch("download", [(oid, 300_000)], in: repository).objects.first
            #expect(download?.error?.code == 404)
            #expect(try leftovers() == [])
            try ada.upload(folder.file("right"), to: repository)
        }

        @Test("an empty object is an object")
        func empty() throws {
            try Data().write(to: URL(filePath: folder.file("empty")))
            let oid = try ada.upload(folder.file("empty"), to: repository)
            let action = try #require(
                try ada.batch("download", [(oid, 0)], in: repository).objects.first?.actions?["download"])
            let answer = try ada.follow(action)
            #expect(answer.status == 200 && answer.body.isEmpty)
            #expect(try ada.follow(action, "--range", "0-").status == 416)
        }

        @Test("a batch of 1,000 objects is answered in order")
        func thousand() throws {
            let objects = (0..<1000).map { index in
                (oid: String(repeating: "0", count: 60) + String(format: "%04x", index), size: index)
            }
            let answer = try ada.batch("upload", objects, in: repository)
            #expect(answer.objects.map(\.oid) == objects.map(\.oid))
            #expect(answer.objects.allSatisfy { $0.actions?["upload"] != nil })
        }

        @Test("an object of another repository is not here")
        func otherRepository() throws {
            try Content.write(to: folder.file("object"), bytes: 10_000)
            let oid = try ada.upload(folder.file("object"), to: repository)
            try hub.run("repository", "create", "model", "ada/second")
            #expect(
                try ada.batch("download", [(oid, 10_000)], in: "models/ada/second").objects.first?.error?.code == 404)
            // To have it here too its bytes must be sent here too.
            #expect(
                try ada.batch("upload", [(oid, 10_000)], in: "models/ada/second").objects.first?.actions?["upload"]
                    != nil)
            #expect(try ada.batch("upload", [(oid, 10_000)], in: repository).objects.first?.actions == nil)
        }

        @Test("the same object from two clients at once is stored once and both succeed")
        func sameObjectTwice() throws {
            try Content.write(to: folder.file("object"), bytes: 30_000_000)
            let oid = try Content.sha256(of: folder.file("object"))
            let actions = try (0..<4).compactMap { _ in
                try ada.batch("upload", [(oid, 30_000_000)], in: repository).objects.first?.actions?["upload"]
            }
            let uploads = try actions.map { action in
                try RunningCommand(
                    ["curl", "--silent", "--fail", "--cacert", hub.certificate, "--upload-file", folder.file("object")]
                        + (action.header ?? [:]).flatMap { ["--header", "\($0.key): \($0.value)"] } + [action.href],
                    in: folder.path, environment: ada.environment)
            }
            for upload in uploads { let output = upload.finish(); #expect(output.succeeded, "\(output)") }
            #expect(
                try ada.batch("download", [(oid, 30_000_000)], in: repository).objects.first?.actions?["download"]
                    != nil)
            #expect(try leftovers() == [])
        }

        @Test(
            "requests that are no LFS requests are answered 4xx with a message",
            arguments: [
                "", "{", "[]", "{}", #"{"operation":"steal","objects":[]}"#,
                #"{"operation":"upload","objects":[{"oid":"x","size":1}]}"#,
                #"{"operation":"upload","objects":[{"oid":"../../../etc/passwd","size":1}]}"#,
                #"{"operation":"upload","objects":7}"#,
            ])
        func badBatches(json: String) throws {
            let answer = try ada.postLFS(repository, "objects/batch", json)
            // An object that is no object may be answered for itself.
            let isRefused = (400..<500).contains(answer.status) || (answer.status == 200 && answer.body.contains("422"))
            #expect(isRefused && answer.body.contains("message"), "\(answer)")
        }

        /// Files of unfinished uploads.
        private func leftovers() throws -> [String] {
            let names =
                FileManager.default.enumerator(atPath: hub.data + "/staging")?.compactMap { $0 as? String } ?? []
            return names.filter { name in
                (try? FileManager.default.attributesOfItem(atPath: "\(hub.data)/staging/\(name)")[.type]
                    as? FileAttributeType) == .typeRegular
            }
        }
    }
}
