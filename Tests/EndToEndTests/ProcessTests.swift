import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    @Suite("The process")
    struct ProcessTests {
        @Test("the executable is static")
        func isStatic() throws {
            let binary = try #require(HubProcess.binary)
            #expect(
                try CommandOutput.of(["file", "--brief", "--dereference", binary]).stdout.contains("statically linked"))
            #expect(try CommandOutput.of(["ldd", binary]).text.contains("not a dynamic executable"))
            let size = try FileManager.default.attributesOfItem(
                atPath: URL(filePath: binary).resolvingSymlinksInPath().path)[.size]
            #expect((size as? Int ?? 0) < 220_000_000)
        }

        @Test("it serves in an empty tree with only /proc", .tags(.needsRoot), .enabled(if: geteuid() == 0))
        func emptyTree() throws {
            let hub = try HubProcess(data: "tree/data")
            let tree = try hub.folder.folder("tree")
            for name in ["proc", "data"] { _ = try hub.folder.folder("tree/\(name)") }
            try FileManager.default.copyItem(atPath: #require(HubProcess.binary), toPath: tree + "/csghub")
            let script = """
                mount -t proc proc '\(tree)/proc'
                exec chroot '\(tree)' /csghub serve --data /data --listen 127.0.0.1:\(hub.port) --tls off
                """
            try hub.start(words: ["unshare", "--mount", "/bin/sh", "-ec", script])
            try hub.waitUntilReady()

            // The verbs come from outside, by the socket in the data folder.
            let ada = try hub.client("ada")
            try hub.run("repository", "create", "model", "ada/m")
            let clone = try ada.clone("models/ada/m", to: "clone")
            try clone.trackLargeFiles("*.bin")
            try Content.write(to: clone.file("a.bin"), bytes: 100_000)
            try clone.commit(["a": "a"], message: "Begin")
            try clone.git("push", "--quiet", "origin", "HEAD:main")
            let again = try ada.clone("models/ada/m", to: "again")
            #expect(try Content.sha256(of: again.file("a.bin")) == Content.sha256(of: clone.file("a.bin")))
            #expect(try hub.stop() == 0)
        }

        @Test("it takes over a socket that systemd opened")
        func inheritedSocket() throws {
            let hub = try HubProcess()
            let script = """
                import os, socket, sys
                listener = socket.socket()
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(("127.0.0.1", int(sys.argv[1])))
                listener.listen(16)
                os.dup2(listener.fileno(), 3)
                os.set_inheritable(3, True)
                os.environ["LISTEN_FDS"] = "1"
                os.environ["LISTEN_PID"] = str(os.getpid())
                os.execv(sys.argv[2], sys.argv[2:])
                """
            try hub.start(words: [
                "python3", "-c", script, "\(hub.port)", #require(HubProcess.binary), "serve", "--data", hub.data,
                "--tls", "off",
            ])
            try hub.waitUntilReady()
            #expect(try hub.http("/healthz").status == 200)
        }

        @Test("a second hub on the same data is refused")
        func oneOwner() throws {
            let hub = try HubProcess.started()
            let second = try CommandOutput.of(
                [
                    #require(HubProcess.binary), "serve", "--data", hub.data, "--tls", "off", "--listen",
                    "127.0.0.1:\(HubProcess.freePort())",
                ],
                seconds: 20)
            #expect(!second.succeeded && second.status != 124)
            #expect(!second.text.isEmpty)
            #expect(try hub.http("/readyz").status == 200)
        }

        @Test("a taken port is refused with what to do")
        func takenPort() throws {
            let hub = try HubProcess.started()
            let folder = try TemporaryFolder()
            let second = try CommandOutput.of(
                [
                    #require(HubProcess.binary), "serve", "--data", folder.file("data"), "--tls", "off", "--listen",
                    "127.0.0.1:\(hub.port)",
                ],
                seconds: 20)
            #expect(!second.succeeded && second.status != 124)
            #expect(second.stderr.contains("--listen"), "\(second)")
        }

        @Test("asked to stop it lets a transfer end and takes no new one")
        func gracefulStop() throws {
            let hub = try HubProcess.started()
            let ada = try hub.client("ada")
            try hub.run("repository", "create", "model", "ada/m")
            let file = ada.folder.file("object")
            try Content.write(to: file, bytes: 60_000_000)
            let oid = try ada.upload(file, to: "models/ada/m")
            let action = try #require(
                try ada.batch("download", [(oid, 60_000_000)], in: "models/ada/m").objects.first?.actions?["download"])
            let received = ada.folder.file("received")
            let download = try RunningCommand(
                ["curl", "--silent", "--fail", "--limit-rate", "20M", "--output", received]
                    + (action.header ?? [:]).flatMap { ["--header", "\($0.key): \($0.value)"] } + [action.href],
                in: "/", environment: ada.environment)
            try waitFor("the first bytes") { fileBytes(received) > 0 }
            let status = try hub.stop()
            let output = download.finish()
            #expect(output.succeeded, "\(output)")
            #expect(status == 0)
            #expect(try Content.sha256(of: received) == oid)
            #expect(!HubProcess.accepts(port: hub.port))
        }

        @Test("it opens no connection to anywhere", .tags(.needsRoot), .enabled(if: geteuid() == 0))
        func noOutboundTraffic() throws {
            let hub = try HubProcess()
            let trace = hub.folder.file("trace")
            let binary = try #require(HubProcess.binary)
            let work = hub.folder.file("work")
            // A network namespace that has a loopback device and nothing else; the client works inside it too.
            let script = """
                ip link set lo up
                exec strace -D -f -qq -o '\(trace)' -e trace=connect,sendto,sendmsg,sendmmsg \
                    '\(binary)' serve --data '\(hub.data)' --listen 127.0.0.1:\(hub.port) --tls off
                """
            try hub.start(words: ["unshare", "--net", "/bin/sh", "-ec", script])
            try waitFor("the control socket") { try hub.isRunning && hub.verb("account", "list").succeeded }
            let ada = try hub.client("ada")
            try hub.run("repository", "create", "model", "ada/m")
            let enter = ["nsenter", "--net", "--target", "\(try hub.identifier)"]
            let commands = """
                git clone -q \(hub.address("models/ada/m")) '\(work)' && cd '\(work)'
                git lfs install --local && git lfs track '*.bin'
                head -c 100000 /dev/urandom > a.bin && git add -A && git commit -qm Begin && git push -q origin HEAD:main
                git clone -q \(hub.address("models/ada/m")) '\(work)-2'
                """
            let output = try CommandOutput.of(enter + ["/bin/sh", "-ec", commands], environment: ada.environment)
            #expect(output.succeeded, "\(output)")
            try hub.stop()
            let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
            let outbound = calls.filter {
                $0.contains("connect(") && !$0.contains("AF_UNIX") && !$0.contains("AF_NETLINK")
            }
            #expect(outbound == [])
            let datagrams = calls.filter { $0.contains("sin_addr") || $0.contains("sin6_addr") }
            #expect(datagrams == [])
        }
    }
}
