import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    @Suite("The sample and the README")
    struct SampleTests {
        private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path

        private func environment(_ home: TemporaryFolder) -> [String: String] {
            var variables = ProcessInfo.processInfo.environment
            variables["XDG_DATA_HOME"] = home.file("share")
            variables["GIT_TERMINAL_PROMPT"] = "0"
            return variables
        }

        @Test("installer/run prints an address, an account and a clone command that works, twice", .tags(.slow))
        func sample() throws {
            let home = try TemporaryFolder("sample")
            var printed: [String] = []
            for round in 1...2 {
                let port = try HubProcess.freePort()
                let sample = try RunningCommand(
                    ["\(Self.root)/installer/run", "--listen", "127.0.0.1:\(port)"], in: home.path,
                    environment: environment(home), seconds: 400)
                try waitFor("the sample's text", seconds: round == 1 ? 360 : 20) {
                    sample.textSoFar.contains("Press Ctrl-C") || !sample.isRunning
                }
                let text = sample.textSoFar
                #expect(text.contains("https://127.0.0.1:\(port)/") && text.contains("demo"), "\(text)")
                printed.append(
                    text.replacing(":\(port)", with: "").split(separator: "The hub is running.").last.map(String.init)
                        ?? "")

                let command = try #require(
                    text.split(separator: "\n").first { $0.contains("git clone") }.map(String.init), "\(text)")
                let target = home.file("clone-\(round)")
                let clone = try CommandOutput.of(
                    ["/bin/sh", "-c", "\(command) \(target)"], in: home.path, environment: environment(home))
                #expect(clone.succeeded, "\(clone)")
                #expect(fileBytes(target + "/model.safetensors") > 10_000_000)

                sample.signal(SIGINT)
                let end = sample.finish()
                #expect(end.status == 0, "\(end)")
                #expect(!HubProcess.accepts(port: port))
            }
            #expect(printed[0] == printed[1])
        }

        @Test("installer/run takes the next port when one is taken")
        func nextPort() throws {
            let home = try TemporaryFolder("sample")
            let hub = try HubProcess.started()
            var variables = environment(home)
            // No package index here, so a generated model takes the place of the real one.
            variables["PIP_INDEX_URL"] = "http://127.0.0.1:9/"
            variables["PIP_NO_CACHE_DIR"] = "1"
            let sample = try RunningCommand(
                ["\(Self.root)/installer/run", "--tls", "off", "--listen", "127.0.0.1:\(hub.port)"], in: home.path,
                environment: variables, seconds: 120)
            try waitFor("the sample's text", seconds: 100) {
                sample.textSoFar.contains("Press Ctrl-C") || !sample.isRunning
            }
            let text = sample.textSoFar
            #expect(text.contains("is in use") && text.contains("out of reach"), "\(text)")
            let command = try #require(
                text.split(separator: "\n").first { $0.contains("git clone") }.map(String.init), "\(text)")
            let clone = try CommandOutput.of(
                ["/bin/sh", "-c", "\(command) \(home.file("clone"))"], in: home.path, environment: variables)
            #expect(clone.succeeded, "\(clone)")
            sample.signal(SIGINT)
            #expect(sample.finish().status == 0)
        }

        @Test("every command of the README runs", .tags(.slow))
        func readme() throws {
            let text = try String(contentsOfFile: Self.root + "/README.md", encoding: .utf8)
            let blocks = text.matches(of: /```sh\n([^`]+)```/).map { String($0.output.1) }
            let commands = blocks.flatMap { $0.split(separator: "\n").map(String.init) }
            #expect(commands.count > 5)
            let installer = commands.filter { $0.hasPrefix("./installer/") }
            for command in installer {
                // Run by the tests of the sample, and by whoever runs these tests.
                #expect(FileManager.default.isExecutableFile(atPath: Self.root + command.dropFirst(1)), "\(command)")
            }

            let home = try TemporaryFolder("readme")
            _ = try home.folder("bin")
            try FileManager.default.createSymbolicLink(
                atPath: home.file("bin/csghub"), withDestinationPath: #require(HubProcess.binary))
            let port = try HubProcess.freePort()
            // Hugging Face's clients are driven by ClientTests, which install them.
            let script = commands.filter { !$0.hasPrefix("./installer/") && !$0.hasPrefix("hf ") }.joined(separator: "\n")
                .replacing(
                    "csghub serve &",
                    with:
                        "csghub serve --listen 127.0.0.1:\(port) > hub.log 2>&1 &\ntrap \"kill $!\" EXIT\n\(Self.wait)"
                )
                .replacing("127.0.0.1:8443", with: "127.0.0.1:\(port)")
            var variables = environment(home)
            variables["HOME"] = home.path
            // It would win over the certificate that the README's command names.
            variables["GIT_SSL_CAINFO"] = nil
            variables["PATH"] = home.file("bin") + ":" + (variables["PATH"] ?? "")
            let output = try CommandOutput.of(["/bin/bash", "-exc", script], in: home.path, environment: variables)
            #expect(output.succeeded, "\(output)")
            #expect(FileManager.default.fileExists(atPath: home.file("first/.git")))
        }

        /// Shell words that wait until the hub answers its verbs.
        private static let wait =
            "for i in $(seq 300); do csghub account list >/dev/null 2>&1 && break; read -rt 0.1 <> <(:) || :; done"
    }
}
