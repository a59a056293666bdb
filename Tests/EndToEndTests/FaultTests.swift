import Foundation
import HubTestSupport
import Testing

/// Ends or fails the hub at one system call of its work, as `strace` injects it.
struct Injection: CustomStringConvertible {
    let call: String
    /// The n-th call of this kind that a thread of the hub makes from now on.
    let count: Int
    /// What happens, in strace's words: `signal=KILL`, `error=EIO`.
    let effect: String

    var description: String { "\(effect) at \(call) #\(count)" }
    var argument: String { "inject=\(call):\(effect):when=\(count)" }
}

extension HubProcess {
    /// The system calls by which the hub writes.
    static let writingCalls = [
        "write", "pwrite64", "writev", "pwritev", "fsync", "fdatasync", "rename", "renameat", "renameat2", "link",
        "linkat", "unlink",
        "unlinkat", "ftruncate", "fallocate", "mkdir", "mkdirat", "sync_file_range",
    ]

    /// Runs `work` while strace watches the running hub with the expressions.
    ///
    /// Returns what strace printed.
    func traced(_ expressions: [String], _ work: () throws -> Void) throws -> String {
        let file = folder.file("strace-\(UUID().uuidString)")
        let flags = expressions.flatMap { ["-e", $0] }
        let tracer = try RunningCommand(
            ["strace", "--follow-forks", "--output", file, "--attach", "\(identifier)"] + flags, in: "/",
            environment: ProcessInfo.processInfo.environment, seconds: 300)
        try waitFor("strace to attach") { tracer.textSoFar.contains("attached") || !tracer.isRunning }
        try work()
        tracer.signal(SIGINT)
        tracer.finish()
        return String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
    }

    /// How often at most one thread of the hub makes each writing call during `work`.
    func writingCalls(during work: () throws -> Void) throws -> [String: Int] {
        let trace = try traced(["trace=" + Self.writingCalls.joined(separator: ",")], work)
        var counts: [String: [Substring: Int]] = [:]
        for line in trace.split(separator: "\n") {
            guard let found = line.firstMatch(of: /^(\d+)\s+(\w+)\(/) else { continue }
            counts[String(found.output.2), default: [:]][found.output.1, default: 0] += 1
        }
        return counts.mapValues { $0.values.max() ?? 0 }
    }
}

extension HubProcess {
    /// Lets each call of this kind fail with EIO during `work`, after which the hub must have said so and ended.
    func expectEnd(bySyncOf call: String, _ work: () throws -> Void) throws {
        _ = try traced(["inject=\(call):error=EIO", "trace=\(call)"]) {
            try work()
            try waitFor("the end of the hub; its log:\n\(log)", seconds: 20) { !isRunning }
        }
        #expect(log.contains("Storage failed") || log.contains("so the hub ends here"), "\(log)")
        #expect(waitForEnd() == 75)
    }
}

/// Chooses the calls at which the hub is ended: all of them in the full run, else a sample over all kinds.
func injections(_ counts: [String: Int], effect: String, sample: Int) -> [Injection] {
    let all = counts.sorted { $0.key < $1.key }.flatMap { call, most in
        (1...max(most, 1)).map { Injection(call: call, count: $0, effect: effect) }
    }
    guard !EndToEnd.isFull, all.count > sample else { return all }
    // Each kind's first, and the rest evenly: the same choice every time.
    let firsts = all.filter { $0.count == 1 }
    let others = all.filter { $0.count > 1 }
    let step = max(1, others.count / max(1, sample - firsts.count))
    return firsts + others.enumerated().filter { $0.offset.isMultiple(of: step) }.map(\.element)
}

extension EndToEnd {
    @Suite("Faults", .tags(.needsRoot), .enabled(if: geteuid() == 0))
    struct FaultTests {
        @Test("ended at any write of a push it has the old or the new state, and the push succeeds again", .tags(.slow))
        func killedInPush() throws {
            let hub = try HubProcess.started()
            let ada = try hub.client("ada")
            let copy = try ada.repository("ada/m")
            try copy.importHistory(commits: 30)
            try copy.git("push", "--quiet", "origin", "main~29:refs/heads/main")
            func push(_ commit: Int) -> [String] {
                ["push", "origin", "main~\(commit):refs/heads/main", "main~\(commit):refs/heads/b\(commit)"]
            }
            let counts = try hub.writingCalls { try #expect(copy.attempt(push(28)).succeeded) }
            #expect(!counts.isEmpty)

            var commit = 27
            for injection in injections(counts, effect: "signal=KILL", sample: 20) {
                let old = try copy.git("ls-remote", "origin")
                var acknowledged = false
                _ = try hub.traced([injection.argument, "trace=\(injection.call)"]) {
                    acknowledged = try copy.attempt(push(commit), seconds: 60).succeeded
                }
                // A hub that made fewer calls this time is ended here.
                hub.kill()
                try hub.start()
                let new = try copy.git("rev-parse", "main~\(commit)")
                let now = try copy.git("ls-remote", "origin")
                let isNew = now.contains("\(new)\trefs/heads/main") && now.contains("\(new)\trefs/heads/b\(commit)")
                #expect(isNew || (now == old && !acknowledged), "\(injection): \(now) after \(old)")
                let again = try copy.attempt(push(commit))
                #expect(again.succeeded, "\(injection): \(again)")
                commit = commit > 1 ? commit - 1 : 27
                if commit == 27 { try copy.git("push", "--quiet", "--force", "origin", "main~28:refs/heads/main") }
            }
            try hub.verifyExport(of: "models/ada/m", for: ada)
            #expect(try hub.verb("audit", "verify").succeeded)
        }

        @Test(
            "ended at any write of an LFS upload it has the object or not, and the upload succeeds again", .tags(.slow))
        func killedInUpload() throws {
            let hub = try HubProcess.started()
            let ada = try hub.client("ada")
            try hub.run("repository", "create", "model", "ada/m")
            var seed: UInt64 = 1
            let file = ada.folder.file("object")
            let bytes = 3_000_000
            func newObject() throws -> String {
                seed += 1
                try Content.write(to: file, bytes: bytes, seed: seed)
                return try Content.sha256(of: file)
            }
            func put(_ oid: String) throws -> Bool {
                let object = try ada.batch("upload", [(oid, bytes)], in: "models/ada/m").objects.first
                guard let action = object?.actions?["upload"] else { return object?.error == nil }
                return try (200...204).contains(ada.follow(action, "--upload-file", file).status)
            }
            let first = try newObject()
            let counts = try hub.writingCalls { try #expect(put(first)) }

            for injection in injections(counts, effect: "signal=KILL", sample: 20) {
                let oid = try newObject()
                let action = try #require(
                    try ada.batch("upload", [(oid, bytes)], in: "models/ada/m").objects.first?.actions?["upload"])
                var acknowledged = false
                _ = try hub.traced([injection.argument, "trace=\(injection.call)"]) {
                    acknowledged = try (200...204).contains(
                        ada.follow(action, "--upload-file", file, "--max-time", "60").status)
                }
                hub.kill()
                try hub.start()
                let there = try ada.batch("download", [(oid, bytes)], in: "models/ada/m").objects.first?.actions?[
                    "download"]
                if acknowledged { #expect(there != nil, "\(injection): acknowledged and lost") }
                if let there {
                    let received = ada.folder.file("received")
                    _ = try CommandOutput.of(
                        ["curl", "--silent", "--output", received]
                            + (there.header ?? [:]).flatMap { ["--header", "\($0.key): \($0.value)"] } + [there.href])
                    #expect(try Content.sha256(of: received) == oid, "\(injection)")
                }
                #expect(try put(oid), "\(injection): the second upload")
            }
            #expect(try hub.verb("object", "verify", "--all").succeeded)
        }

        /// The database syncs by `fdatasync`, a pack and its folder by `fsync`: what became of the bytes is unknown, so the hub ends.
        @Test("what could not be synced is not acknowledged, and what was is there", arguments: ["fsync", "fdatasync"])
        func failingSync(call: String) throws {
            let hub = try HubProcess.started()
            let ada = try hub.client("ada")
            let copy = try ada.repository("ada/m")
            try copy.git("push", "--quiet", "origin", "main")
            let second = try copy.commit(["b": "b\n"], message: "Go on")
            let calls = try hub.writingCalls {
                try #expect(copy.attempt(["push", "origin", "main:refs/heads/probe"]).succeeded)
            }
            #expect(calls[call, default: 0] > 0)

            let third = try copy.commit(["c": "c\n"], message: "Go further")
            try hub.expectEnd(bySyncOf: call) {
                let push = try copy.attempt(["push", "origin", "main"], seconds: 60)
                #expect(!push.succeeded)
            }
            try hub.start()
            #expect(try copy.git("ls-remote", "origin", "refs/heads/probe").hasPrefix(second))
            try copy.git("push", "--quiet", "origin", "main")
            #expect(try copy.git("ls-remote", "origin", "refs/heads/main").hasPrefix(third))
            try hub.verifyExport(of: "models/ada/m", for: ada)
        }

        /// An object and its name are synced by `fsync`, the row that links it by `fdatasync`.
        ///
        /// A row that could not be synced may be there after the restart or not.
        @Test("an object that could not be synced is not acknowledged", arguments: ["fsync", "fdatasync"])
        func failingSyncOfObject(call: String) throws {
            let hub = try HubProcess.started()
            let ada = try hub.client("ada")
            try hub.run("repository", "create", "model", "ada/m")
            let file = ada.folder.file("object")
            try Content.write(to: file, bytes: 3_000_000)
            let oid = try Content.sha256(of: file)
            func upload() throws -> BatchObject.Action? {
                try ada.batch("upload", [(oid, 3_000_000)], in: "models/ada/m").objects.first?.actions?["upload"]
            }
            let action = try #require(try upload())
            try hub.expectEnd(bySyncOf: call) {
                let status = try? ada.follow(action, "--upload-file", file, "--max-time", "60").status
                #expect(status.map { (200...204).contains($0) } != true)
            }
            try hub.start()
            let again = try upload()
            #expect(again != nil || call == "fdatasync")
            if let again { #expect(try (200...204).contains(ada.follow(again, "--upload-file", file).status)) }
            let objects = try ada.batch("download", [(oid, 3_000_000)], in: "models/ada/m").objects
            #expect(objects.first?.actions?["download"] != nil)
            #expect(try hub.verb("object", "verify", "--all").succeeded)
        }

        @Test("a full disk refuses what does not fit and loses nothing", .tags(.slow))
        func fullDisk() throws {
            let folder = try TemporaryFolder("full")
            let mount = try folder.folder("data")
            #expect(try CommandOutput.of(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", mount]).succeeded)
            defer { _ = try? CommandOutput.of(["umount", "--lazy", mount]) }  // The folder's removal tells if it stays.
            let hub = try HubProcess(in: folder)
            try hub.start()
            let ada = try hub.client("ada")
            let copy = try ada.repository("ada/m")
            try copy.git("push", "--quiet", "origin", "main")
            let small = ada.folder.file("small")
            try Content.write(to: small, bytes: 5_000_000)
            let kept = try ada.upload(small, to: "models/ada/m")

            let large = ada.folder.file("large")
            try Content.write(to: large, bytes: 80_000_000, seed: 3)
            let oid = try Content.sha256(of: large)
            let action = try #require(
                try ada.batch("upload", [(oid, 80_000_000)], in: "models/ada/m").objects.first?.actions?["upload"])
            let refused = try ada.follow(action, "--upload-file", large)
            #expect(refused.status == 507, "\(refused)")

            try Content.write(to: copy.file("large.bin"), bytes: 60_000_000, seed: 4)
            let commit = try copy.commit([:], message: "Add too much")
            #expect(try !copy.attempt(["push", "origin", "main"]).succeeded)
            #expect(try !copy.git("ls-remote", "origin").contains(commit))

            // The space of what was refused is free again.
            #expect(hub.isRunning)
            try copy.git("reset", "--quiet", "--hard", "HEAD~1")
            try copy.commit(["small.txt": "fits\n"], message: "Add little")
            try copy.git("push", "--quiet", "origin", "main")
            hub.kill()
            try hub.start()
            #expect(
                try ada.batch("download", [(kept, 5_000_000)], in: "models/ada/m").objects.first?.actions?["download"]
                    != nil)
            #expect(try hub.verb("object", "verify", "--all").succeeded)
            try hub.verifyExport(of: "models/ada/m", for: ada)
            hub.kill()
        }
    }
}
