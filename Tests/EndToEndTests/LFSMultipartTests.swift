import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    @Suite("LFS uploads in parts")
    struct LFSMultipartTests {
        let hub: HubProcess
        let ada: GitClient
        private let bytes = 280_000_000

        init() throws {
            hub = try HubProcess.started()
            ada = try hub.client("ada")
            try hub.run("repository", "create", "model", "ada/large")
        }

        /// The number and the link of each part, in order.
        private func parts(of action: BatchObject.Action) throws -> [(number: Int, href: String)] {
            let parts = (action.header ?? [:]).compactMap { key, href in Int(key).map { (number: $0, href: href) } }
            #expect(!parts.isEmpty)
            return parts.sorted { $0.number < $1.number }
        }

        private func action(_ oid: String) throws -> BatchObject.Action {
            let answer = try ada.batch(
                "upload", [(oid, bytes)], in: "models/ada/large", transfers: #""basic","multipart""#)
            return try #require(answer.objects.first?.actions?["upload"])
        }

        private func put(_ part: (number: Int, href: String), of pieces: [String]) throws -> HTTPAnswer {
            try hub.http(part.href, "--upload-file", pieces[part.number - 1])
        }

        @Test("parts may come in any order, survive a killed hub and make the object", .tags(.slow))
        func restart() throws {
            let file = ada.folder.file("object")
            try Content.write(to: file, bytes: bytes)
            let oid = try Content.sha256(of: file)
            let first = try action(oid)
            let chunk = try #require(first.header?["chunk_size"].flatMap(Int.init))
            let links = try parts(of: first)
            #expect(links.count == (bytes + chunk - 1) / chunk && links.count > 1)
            #expect(
                try CommandOutput.of(["split", "--bytes=\(chunk)", "--numeric-suffixes", file, file + "-"]).succeeded)
            let pieces = (0..<links.count).map { file + String(format: "-%02d", $0) }

            var tags: [Int: String] = [:]
            let last = try #require(links.last)
            tags[last.number] = try put(last, of: pieces).headers["etag"]
            hub.kill()
            try hub.start()
            for part in links.dropLast() {
                let answer = try put(part, of: pieces)
                #expect((200...204).contains(answer.status), "\(answer)")
                tags[part.number] = answer.headers["etag"]
            }
            #expect(tags.values.allSatisfy { !$0.isEmpty } && tags.count == links.count)
            let list = links.map { part in
                let tag = (tags[part.number] ?? "").replacing("\"", with: "\\\"")
                return #"{"partNumber":\#(part.number),"etag":"\#(tag)"}"#
            }
            let done = try hub.http(
                first.href, "--header", "Content-Type: application/vnd.git-lfs+json", "--header",
                "Accept: application/vnd.git-lfs+json",
                "--data-binary", #"{"oid":"\#(oid)","parts":[\#(list.joined(separator: ","))]}"#)
            #expect((200...204).contains(done.status), "\(done)")

            let download = try #require(
                try ada.batch("download", [(oid, bytes)], in: "models/ada/large").objects.first?.actions?["download"])
            let received = ada.folder.file("received")
            #expect(try ada.follow(download, "--output", received).status == 200)
        }

        @Test("parts whose sum is another object are refused")
        func wrongParts() throws {
            let file = ada.folder.file("object")
            try Content.write(to: file, bytes: bytes, seed: 5)
            let first = try action(String(repeating: "ab", count: 32))
            let links = try parts(of: first)
            let chunk = try #require(first.header?["chunk_size"].flatMap(Int.init))
            #expect(
                try CommandOutput.of(["split", "--bytes=\(chunk)", "--numeric-suffixes", file, file + "-"]).succeeded)
            let pieces = (0..<links.count).map { file + String(format: "-%02d", $0) }
            let list = try links.map { part in
                let tag = (try put(part, of: pieces).headers["etag"] ?? "").replacing("\"", with: "\\\"")
                return #"{"partNumber":\#(part.number),"etag":"\#(tag)"}"#
            }
            let done = try hub.http(
                first.href, "--header", "Content-Type: application/vnd.git-lfs+json",
                "--data-binary",
                #"{"oid":"\#(String(repeating: "ab", count: 32))","parts":[\#(list.joined(separator: ","))]}"#)
            #expect(done.status == 422, "\(done)")
        }
    }
}
