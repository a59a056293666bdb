import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    @Suite("HTTP of git")
    struct HTTPTests {
        let hub: HubProcess
        let ada: GitClient
        private let path = "/models/ada/spoken.git"

        init() throws {
            hub = try HubProcess.started()
            ada = try hub.client("ada")
            let copy = try ada.repository("ada/spoken")
            try copy.importHistory(commits: 5)
            try copy.git("push", "--quiet", "origin", "main")
        }

        private func ask(_ path: String, _ words: String...) throws -> HTTPAnswer {
            try hub.http(path, ada.credentials + words)
        }

        @Test(
            "the dumb protocol gets nothing",
            arguments: ["/HEAD", "/info/refs", "/objects/info/packs", "/config", "/objects/00/00"])
        func dumb(file: String) throws {
            #expect(try [403, 404].contains(ask(path + file).status))
        }

        @Test("the advertisement is of its type and never cached")
        func advertisement() throws {
            let answer = try ask(path + "/info/refs?service=git-upload-pack")
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/x-git-upload-pack-advertisement")
            #expect(answer.headers["cache-control"] == "no-cache, max-age=0, must-revalidate")
            #expect(answer.body.hasPrefix("001e# service=git-upload-pack\n0000"))
            #expect(try ask(path + "/info/refs?service=git-archive").status == 403)
        }

        @Test("bodies come plain, compressed and in chunks", arguments: [true, false])
        func bodies(isCompressed: Bool) throws {
            let request = "0014command=ls-refs\n0000"
            let file = ada.folder.file("request")
            try request.write(toFile: file, atomically: true, encoding: .utf8)
            if isCompressed {
                #expect(try CommandOutput.of(["gzip", "--keep", "--force", file]).succeeded)
            }
            let words =
                isCompressed
                ? ["--header", "Content-Encoding: gzip", "--data-binary", "@\(file).gz"]
                : ["--data-binary", "@\(file)"]
            for chunked in [[], ["--header", "Transfer-Encoding: chunked"]] {
                let answer = try hub.http(
                    path + "/git-upload-pack",
                    ada.credentials + words + chunked + [
                        "--header", "Git-Protocol: version=2", "--header",
                        "Content-Type: application/x-git-upload-pack-request",
                    ])
                #expect(answer.status == 200, "\(answer)")
                #expect(answer.headers["content-type"] == "application/x-git-upload-pack-result")
                #expect(answer.body.contains("refs/heads/main"), "\(answer)")
            }
        }

        @Test(
            "what is not a request is refused, and the hub goes on",
            arguments: [
                "zzzz", "0003", "fffe", "0014command=ls-refs", "0012command=nothing\n0000", "0032want zzzz\n0000",
                "0000000000000000",
                "000bcommand", "0014command=ls-refs\n0001ffff",
            ])
        func garbage(body: String) throws {
            for (service, version) in [("git-upload-pack", 0), ("git-upload-pack", 2), ("git-receive-pack", 0)] {
                let answer = try ask(
                    "\(path)/\(service)", "--header", "Content-Type: application/x-\(service)-request",
                    "--header", "Git-Protocol: version=\(version)", "--data-binary", body)
                #expect((200..<500).contains(answer.status), "\(service) \(version): \(answer)")
            }
            #expect(try hub.http("/healthz").status == 200)
        }

        @Test("another content type is 415, broken compression 400")
        func wrongBodies() throws {
            #expect(try ask(path + "/git-upload-pack", "--data-binary", "0000").status == 415)
            let broken = try ask(
                path + "/git-upload-pack", "--header", "Content-Type: application/x-git-upload-pack-request",
                "--header", "Content-Encoding: gzip", "--data-binary", "this is not gzip")
            #expect(broken.status == 400, "\(broken)")
        }

        @Test("git's probe before a large push is answered empty")
        func probe() throws {
            let answer = try ask(
                path + "/git-receive-pack", "--header", "Content-Type: application/x-git-receive-pack-request",
                "--data-binary", "0000")
            #expect(answer.status == 200 && answer.body.isEmpty, "\(answer)")
        }

        @Test("bodies that end early leave nothing behind", arguments: [0, 10, 200, 5000])
        func endsEarly(bytesSent: Int) throws {
            let body =
                "0094\(String(repeating: "0", count: 40)) \(String(repeating: "1", count: 40)) refs/heads/x\0 report-status"
                + "0000PACK" + String(repeating: "x", count: 10_000)
            let token = Data("ada:\(ada.password)".utf8).base64EncodedString()
            for framing in ["Content-Length: 100000", "Transfer-Encoding: chunked"] {
                let connection = try RawConnection(port: hub.port)
                let start = framing.hasPrefix("T") ? "2710\r\n" : ""
                try connection.send(
                    "POST \(path)/git-receive-pack HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic \(token)\r\n"
                        + "Content-Type: application/x-git-receive-pack-request\r\n\(framing)\r\n\r\n\(start)"
                        + body.prefix(bytesSent))
                connection.close()
            }
            try waitFor("an empty staging folder") { try stagedFiles() == [] }
            #expect(try ask(path + "/info/refs?service=git-upload-pack").status == 200)
        }

        @Test(
            "addresses that are no repository's are 4xx",
            arguments: [
                "/models/../../etc/passwd", "/models/%2e%2e/%2e%2e/etc/passwd", "/models/ada/%00.git/info/refs",
                "/models/ada/..git/info/refs",
                "/models//ada/spoken.git/info/refs", "/%ff%fe/x.git/info/refs?service=git-upload-pack",
                "/models/ada/spoken.git/../spoken.git/HEAD",
                "/models/ada/" + String(repeating: "a", count: 5000),
            ])
        func hostilePaths(path: String) throws {
            let answer = try ask(path)
            #expect((400..<500).contains(answer.status), "\(answer)")
        }

        @Test("a request that is no HTTP is refused")
        func notHTTP() throws {
            for text in [
                "\u{0}\u{1}\u{2}\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                "GET " + String(repeating: "x", count: 200_000) + " HTTP/1.1\r\n\r\n",
            ] {
                let connection = try RawConnection(port: hub.port)
                try? connection.send(text)  // The hub may close before it has read all.
                connection.close()
            }
            #expect(try hub.http("/healthz").status == 200)
        }

        private func stagedFiles() throws -> [String] {
            let staging = hub.data + "/staging"
            let names = FileManager.default.enumerator(atPath: staging)?.compactMap { $0 as? String } ?? []
            return names.filter { $0.contains("incoming") }
        }
    }
}
