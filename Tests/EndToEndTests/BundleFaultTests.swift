import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    /// Imports that are ended, or that lose their medium or their disk, in the middle.
    @Suite("Imports that are cut off", .tags(.needsRoot), .enabled(if: geteuid() == 0))
    struct BundleFaultTests {
        /// At most this much is copied again, as the format promises.
        private static let maximumAgain = 256 << 20

        private let home: TemporaryFolder

        init() throws { home = try TemporaryFolder("home") }

        /// A signed bundle of a folder with these large files, made without a hub.
        private func bundle(_ sizes: [Int]) throws -> (medium: String, root: String, id: String) {
            let folder = try home.folder("model")
            for (n, size) in sizes.enumerated() { try Content.write(to: "\(folder)/part-\(n).safetensors", bytes: size, seed: UInt64(n) + 1) }
            let medium = try home.folder("stick")
            let made = try CommandOutput.of(
                [HubProcess.binary ?? "csghub", "bundle", "create", "--folder", folder, "--as", "model", "ada/m", "--out", medium],
                environment: ["HOME": home.path, "PATH": "/usr/bin:/bin"])
            guard made.succeeded else { throw CommandFailure(words: ["bundle", "create"], output: made) }
            try FileManager.default.removeItem(atPath: folder)
            return (medium, made.line + "/trust/root.1.json", String(made.line.suffix(16)))
        }

        private func trust(_ root: String, by hub: HubProcess) throws {
            let fingerprint = try hub.run("trust", "fingerprint", root).split(separator: " ").dropFirst().joined(separator: " ")
            try hub.run("trust", "add", root, "--fingerprint", fingerprint)
        }

        /// A data folder that trusts the publisher, and copies of it.
        private final class Origin {
            let hub: HubProcess
            private let saved: String

            init(_ trust: (HubProcess) throws -> Void) throws {
                hub = try HubProcess.started()
                try trust(hub)
                // Without a running hub the verbs do the work themselves.
                try hub.stop()
                saved = hub.folder.file("saved")
                try CommandOutput.of(["cp", "-a", hub.data, saved]).check()
            }

            func restore() throws {
                try CommandOutput.of(["rm", "-rf", hub.data]).check()
                try CommandOutput.of(["cp", "-a", saved, hub.data]).check()
            }
        }

        private func expectWhole(_ hub: HubProcess, _ medium: String) throws {
            let last = try hub.verb("bundle", "import", medium)
            #expect(last.succeeded && last.stdout.contains("published"), "\(last)")
            #expect(try hub.verb("object", "verify", "--all").succeeded)
            #expect(try hub.verb("audit", "verify").succeeded)
            #expect(try FileManager.default.contentsOfDirectory(atPath: hub.data + "/staging/imports").isEmpty)
        }

        /// Prints a line for each kill; `installer/test --full --only EndToEndTests` shows fifty of a large import.
        @Test("ended by kill -9 at random instants an import goes on each time and copies at most 256 MiB again")
        func killed() throws {
            let sizes = EndToEnd.isFull ? [900_000_000, 500_000_000, 200_000_000] : [90_000_000, 60_000_000]
            let made = try bundle(sizes)
            let origin = try Origin { try trust(made.root, by: $0) }
            let hub = origin.hub
            let words = ["bundle", "import", made.medium, "--data", hub.data]
            /// What counts as copied, as the preflight says.
            func present() throws -> Int {
                let told = try hub.verb("bundle", "import", made.medium, "--dry-run", "--json")
                let number = told.stdout.firstMatch(of: /"present_bytes":(\d+)/).flatMap { Int($0.output.1) }
                return try #require(number, "\(told)")
            }
            let total = sizes.reduce(0, +)
            var (worst, before) = (0, 0)
            let count = EndToEnd.isFull ? 50 : 8
            var kills = 0
            while kills < count {
                let process = Process()
                process.executableURL = URL(filePath: HubProcess.binary ?? "csghub")
                process.arguments = words
                process.standardOutput = FileHandle(forWritingAtPath: "/dev/null")
                process.standardError = process.standardOutput
                try process.run()
                let identifier = process.processIdentifier
                // Some moment between its first byte and its last; the next test has the calls of publication.
                let goal = Int.random(in: 0...max(0, total - before))
                try waitFor("byte \(goal)", seconds: 120) { !process.isRunning || Self.writtenBytes(of: identifier) ?? .max >= goal }
                // It is held, so that what it wrote can be read, and ended without doing one thing more.
                kill(identifier, SIGSTOP)
                let written = Self.writtenBytes(of: identifier)
                kill(identifier, SIGKILL)
                process.waitUntilExit()
                if process.terminationReason == .exit {
                    // It was faster this time: another import of the same bundle goes on.
                    #expect(process.terminationStatus == 0)
                    try origin.restore()
                    before = 0
                    continue
                }
                kills += 1
                let after = try present()
                let again = max(0, before + (written ?? 0) - after)
                worst = max(worst, again)
                print("kill \(kills) after \(goal >> 20) MiB more: \(after >> 20) MiB are there, \(again >> 20) MiB are copied again")
                #expect(written != nil && again <= Self.maximumAgain + (8 << 20), "kill \(kills)")
                before = after
            }
            print("\(kills) kills of an import of \(total >> 20) MiB, at most \(worst >> 20) MiB copied again")
            try expectWhole(hub, made.medium)
            try hub.start()
            let bob = try hub.client("bob")
            #expect(try bob.clone("models/ada/m", to: "clone").attempt(["lfs", "fsck"]).succeeded)
        }

        /// What a process has written so far, in calls.
        private static func writtenBytes(of identifier: Int32) -> Int? {
            let text = String(decoding: FileManager.default.contents(atPath: "/proc/\(identifier)/io") ?? Data(), as: UTF8.self)
            return text.firstMatch(of: /wchar: (\d+)/).flatMap { Int($0.output.1) }
        }

        @Test("ended at any call by which it writes, an import goes on and is whole", .tags(.slow))
        func killedAtCalls() throws {
            let made = try bundle([200_000, 100_000])
            let origin = try Origin { try trust(made.root, by: $0) }
            let hub = origin.hub
            func traced(_ expressions: [String]) throws -> (output: CommandOutput, trace: String) {
                let file = hub.folder.file("strace")
                let words = ["strace", "--follow-forks", "--output", file] + expressions.flatMap { ["-e", $0] }
                let output = try CommandOutput.of(
                    words + [HubProcess.binary ?? "csghub", "bundle", "import", made.medium, "--data", hub.data], seconds: 120)
                return (output, String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self))
            }
            let whole = try traced(["trace=" + HubProcess.writingCalls.joined(separator: ",")])
            #expect(whole.output.succeeded, "\(whole.output)")
            var calls: [String: [Substring: Int]] = [:]
            for line in whole.trace.split(separator: "\n") {
                guard let found = line.firstMatch(of: /^(\d+)\s+(\w+)\(/) else { continue }
                calls[String(found.output.2), default: [:]][found.output.1, default: 0] += 1
            }
            var ended = 0
            for injection in injections(calls.mapValues { $0.values.max() ?? 0 }, effect: "signal=KILL", sample: 8) {
                try origin.restore()
                let cut = try traced([injection.argument, "trace=\(injection.call)"]).output
                if cut.status == 137 { ended += 1 }
                let repositories = try hub.verb("repository", "list", "--json").stdout
                let isHere = repositories.contains("\"m\"")
                let status = try hub.verb("bundle", "status").stdout
                #expect(isHere == status.contains("published"), "\(injection): \(status)")
                try expectWhole(hub, made.medium)
            }
            print("An import was ended at \(ended) calls.")
            #expect(ended > 3)
        }

        @Test("a medium that begins to answer EIO is 75 and keeps what came; the medium again finishes it; a device is released")
        func pulled() throws {
            guard LoopDevice.isAvailable else { return }
            let hub = try HubProcess.started()
            let made = try bundle([70_000_000, 80_000_000])
            try trust(made.root, by: hub)
            let device = try LoopDevice(holding: made.medium, megabytes: 240)
            let mount = try device.mount()
            try device.cut(to: 100)
            let text = try hub.importing([mount], status: 75)
            #expect(text.contains("cannot be read") && text.contains("vol/000001.tar"), "\(text)")
            #expect(try hub.isRunning && hub.verb("bundle", "status", made.id).stdout.contains("staging"))
            let told = try hub.verb("bundle", "import", made.medium, "--dry-run", "--json").stdout
            let present = told.firstMatch(of: /"present_bytes":(\d+)/).flatMap { Int($0.output.1) } ?? 0
            #expect(present >= 64 << 20 && present < 150_000_000, "\(told)")
            // Resumed from a device, which is mounted for the import alone.
            let other = try LoopDevice(holding: made.medium, megabytes: 240)
            try hub.importing([other.device], status: 0)
            #expect(try !String(contentsOfFile: "/proc/mounts", encoding: .utf8).contains(other.device + " "))
            #expect(try hub.verb("object", "verify", "--all").succeeded)
        }

        @Test("a disk that fills up pauses the import with 75, the hub stays up, and it goes on after room is made",
            .enabled(if: EndToEnd.isFull, "in the full run"), arguments: [4, 0])
        func fullDisk(megabytesLeft: Int) throws {
            let folder = try TemporaryFolder("full")
            let mount = try folder.folder("data")
            try CommandOutput.of(["mount", "-t", "tmpfs", "-o", "size=700m", "tmpfs", mount]).check()
            defer { _ = umount2(mount, Int32(MNT_DETACH)) }
            let made = try bundle([Int](repeating: 28_000_000, count: 10))
            let hub = try HubProcess(in: folder)
            try hub.start()
            try trust(made.root, by: hub)
            let importing = try RunningCommand(
                [HubProcess.binary ?? "csghub", "bundle", "import", made.medium, "--data", hub.data], in: "/",
                environment: ProcessInfo.processInfo.environment)
            let staged = hub.data + "/staging/imports/" + made.id
            try waitFor("the first content") {
                let names = FileManager.default.enumerator(atPath: staged)?.allObjects as? [String] ?? []
                return !importing.isRunning || names.contains { $0.split(separator: "/").last?.count == 64 }
            }
            let filler = mount + "/filler"
            try Self.fill(filler, leaving: megabytesLeft << 20)
            let paused = importing.finish()
            #expect(paused.status == 75 && paused.text.contains("full"), "\(paused)")
            #expect(try hub.isRunning && hub.http("/healthz").status == 200, "\(hub.log)")
            // Nothing of it shows.
            unlink(filler)
            #expect(try hub.verb("repository", "list", "--json").stdout.isEmpty)
            let resumed = try hub.verb("bundle", "resume", made.id)
            #expect(resumed.succeeded && resumed.stdout.contains("published"), "\(resumed)")
            #expect(try hub.verb("object", "verify", "--all").succeeded)
            // Where it cannot fit at all nothing is begun.
            try Self.fill(filler, leaving: 30 << 20)
            let second = try bundleOfOther()
            let refused = try hub.verb("bundle", "import", second)
            #expect(refused.status == 1 && refused.text.contains("Nothing was copied"), "\(refused)")
            hub.kill()
        }

        /// Another of the same publisher, of 60 MB.
        private func bundleOfOther() throws -> String {
            let folder = try home.folder("other")
            try Content.write(to: folder + "/x.safetensors", bytes: 60_000_000, seed: 99)
            let medium = try home.folder("stick2")
            try CommandOutput.of(
                [HubProcess.binary ?? "csghub", "bundle", "create", "--folder", folder, "--as", "model", "ada/other", "--out", medium],
                environment: ["HOME": home.path, "PATH": "/usr/bin:/bin"]
            ).check()
            return medium
        }

        /// Takes all room but so many bytes.
        private static func fill(_ path: String, leaving left: Int) throws {
            var space = statvfs()
            let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            defer { close(file) }
            // While others write beside it the room shrinks: what could not be had is tried again with less.
            for _ in 0..<50 {
                guard statvfs(path, &space) == 0 else { break }
                let room = Int(space.f_bavail) * Int(space.f_frsize) - left
                var status = stat()
                guard room > 0, fstat(file, &status) == 0 else { return }
                if posix_fallocate(file, Int(status.st_size), room) == 0 { return }
            }
        }
    }
}

extension CommandOutput {
    /// - Throws: what the command printed, when it failed.
    func check() throws {
        guard succeeded else { throw CommandFailure(words: [], output: self) }
    }
}
