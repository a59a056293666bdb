import BundleFormat
import Foundation
import HubCore
import HubTestSupport
import Testing

extension EndToEnd {
    /// A bundle that comes by network.
    @Suite("Bundles by the API")
    struct BundleSendingTests {
        private let hub: HubProcess
        private let maker: BundleMaker
        private let bundle: HandmadeBundle
        private let token: String

        init() throws {
            hub = try HubProcess.started()
            maker = try BundleMaker()
            try maker.beTrusted(by: hub)
            bundle = try maker.bundle(.init(large: [Content.bytes(3_000_000)]))
            token = try hub.client("eve", isAdministrator: true, scope: "admin").password
        }

        private var path: String { "/api/hub/v1/imports/\(bundle.id)" }

        private func ask(_ path: String, _ words: String..., token: String? = nil) throws -> HTTPAnswer {
            try hub.http(path, ["--header", "Authorization: Bearer \(token ?? self.token)"] + words)
        }

        private func post(_ path: String, _ json: String) throws -> HTTPAnswer {
            try ask(path, "--header", "Content-Type: application/json", "--data-binary", json)
        }

        private func sendDocuments() throws {
            for name in ["BUNDLE.json", "BUNDLE.dsse.json", "trust/root.1.json"] {
                let short = name.replacing("trust/", with: "")
                let sent = try ask("\(path)/documents/\(short)", "--upload-file", "\(bundle.folders[0])/\(name)")
                #expect(sent.status == 204, "\(name): \(sent)")
            }
        }

        /// A part of the volume, in a file.
        private func part(_ range: Range<Int>) throws -> String {
            let bytes = try Data(contentsOf: URL(filePath: bundle.volume()))
            let file = hub.folder.file("part-\(range.lowerBound)")
            try bytes[range].write(to: URL(filePath: file))
            return file
        }

        private func received(_ answer: HTTPAnswer) -> Int? { answer.body.firstMatch(of: /"received_bytes":(\d+)/).flatMap { Int($0.output.1) } }

        @Test("a volume is sent in parts: a wrong offset is refused with the right one, too much is refused, and it goes on after kill -9")
        func resumable() throws {
            let size = fileBytes(bundle.volume())
            // Before the documents nothing is taken: nobody has vouched for it.
            #expect(try ask("\(path)/volumes/1", "--upload-file", part(0..<1000)).status == 404)
            let foreign = try ask("/api/hub/v1/imports/0123456789abcdef/documents/BUNDLE.json", "--upload-file", "\(bundle.folders[0])/BUNDLE.json")
            #expect(foreign.status == 422, "\(foreign)")
            for name in ["root.0.json", "root.257.json", "root.01.json", "README.txt", "..%2f..%2fhub.db"] {
                #expect(try [400, 404].contains(ask("\(path)/documents/\(name)", "--upload-file", part(0..<10)).status), "\(name)")
            }
            try sendDocuments()
            #expect(try received(ask("\(path)/volumes/1")) == 0)
            for number in ["2", "0", "x", "999999999999"] { #expect(try [400, 404].contains(ask("\(path)/volumes/\(number)", "--upload-file", part(0..<10)).status), "\(number)") }
            #expect(try received(ask("\(path)/volumes/1?offset=0", "--upload-file", part(0..<1_000_000))) == 1_000_000)
            for offset in ["1000001", "-1", "9223372036854775807"] {
                let wrong = try ask("\(path)/volumes/1?offset=\(offset)", "--upload-file", part(0..<10))
                #expect(wrong.status == 409 || wrong.status == 400, "\(wrong)")
                if offset == "1000001" { #expect(wrong.body.contains("1000000 bytes of this volume have come"), "\(wrong)") }
            }
            let long = try ask("\(path)/volumes/1?offset=1000000", "--upload-file", "\(bundle.folders[0])/vol/000001.tar")
            #expect(long.status == 413, "\(long)")
            // What is not whole cannot be imported, and an overlap writes the same bytes again.
            hub.kill()
            try hub.start()
            let known = try #require(try received(ask("\(path)/volumes/1")))
            #expect(known >= 1_000_000 && known <= size)
            #expect(try received(ask("\(path)/volumes/1?offset=900000", "--upload-file", part(900_000..<2_000_000))) == 2_000_000)
            let early = try post("/api/hub/v1/imports/run", #"{"bundles":["\#(bundle.id)"]}"#)
            #expect(early.body.contains("\"code\":\"media_missing\""), "\(early)")
            #expect(try received(ask("\(path)/volumes/1?offset=2000000", "--upload-file", part(2_000_000..<size))) == size)
            let run = try post("/api/hub/v1/imports/run", #"{"bundles":["\#(bundle.id)"]}"#)
            #expect(run.body.contains("\"state\":\"published\""), "\(run)")
            #expect(try hub.verb("object", "verify", "--all").succeeded)
            #expect(try ask("/qwen/qwen3/resolve/main/README.md").body == "# Model 1\n")
        }

        @Test("an upload that is given up leaves nothing, and may begin again; nobody without the right sends anything")
        func abandoned() throws {
            let bob = try hub.client("bob").password
            #expect(try ask("\(path)/documents/BUNDLE.json", "--upload-file", "\(bundle.folders[0])/BUNDLE.json", token: bob).status == 403)
            try sendDocuments()
            #expect(try ask("\(path)/volumes/1", "--upload-file", part(0..<10), token: bob).status == 403)
            #expect(try ask("\(path)/volumes/1", token: bob).status == 403)
            #expect(try received(ask("\(path)/volumes/1", "--upload-file", part(0..<500_000))) == 500_000)
            let started = try post("/api/hub/v1/imports/run", #"{"bundles":["\#(bundle.id)"]}"#)
            #expect(started.body.contains("media_missing"), "\(started)")
            #expect(try ask("\(path)/abandon", "--request", "POST").status == 200)
            #expect(try hub.hasNothing(of: bundle.id))
            #expect(try ask("\(path)/volumes/1").status == 404)
            try sendDocuments()
            #expect(try received(ask("\(path)/volumes/1", "--upload-file", bundle.volume())) == fileBytes(bundle.volume()))
            #expect(try post("/api/hub/v1/imports/run", #"{"bundles":["\#(bundle.id)"]}"#).body.contains("\"state\":\"published\""))
        }
    }
}
