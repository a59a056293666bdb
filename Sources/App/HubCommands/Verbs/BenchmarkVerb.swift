import ArgumentParser
import FoundationEssentials
import Glibc
import HubCore
import MetadataStore

/// Measures parts of the hub that no client can reach alone. For `installer/benchmark`.
struct BenchmarkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark", abstract: "Measures the hub's parts.", shouldDisplay: false,
        subcommands: [Commits.self])
}

extension BenchmarkCommand {
    struct Commits: HubVerb {
        static let configuration = CommandConfiguration(
            abstract: "Measures durable commits a second in a new database in a folder.",
            discussion: "Example: csghub benchmark commits --folder /var/tmp --writers 64 --seconds 3")

        @Option(help: "Where the database is made and removed again.") var folder: String
        @Option(help: "How many write at once; 64 unless given.") var writers = 64
        @Option(help: "How long; 3 unless given.") var seconds = 3.0

        func validate() throws {
            guard (1...4096).contains(writers) else { throw ValidationError("--writers is 1 to 4096.") }
            guard (0.1...600).contains(seconds) else { throw ValidationError("--seconds is 0.1 to 600.") }
        }

        func perform(in session: CommandSession) async throws {
            let path = "\(HubLocation.absolute(folder))/csghub-benchmark-\(getpid())"
            guard mkdir(path, 0o700) == 0 else {
                throw CommandFailure(
                    .failed, "A folder cannot be made in \(folder): \(String(cString: strerror(errno))).")
            }
            // What stays is the caller's temporary folder.
            defer { try? FileManager.default.removeItem(atPath: path) }
            let store = try MetadataStore(path: path + "/hub.db")
            let alone = try await commitsPerSecond(store, writers: 1)
            let together = try await commitsPerSecond(store, writers: writers)
            try store.close()
            session.console.print("writers=1 commits_per_second=\(Int(alone))")
            session.console.print("writers=\(writers) commits_per_second=\(Int(together))")
        }

        private func commitsPerSecond(_ store: MetadataStore, writers: Int) async throws -> Double {
            let clock = ContinuousClock()
            let start = clock.now
            let end = start + .seconds(seconds)
            let count = try await withThrowingTaskGroup(of: Int.self) { tasks in
                for _ in 0..<writers {
                    tasks.addTask {
                        var done = 0
                        while clock.now < end {
                            try await store.appendAudit(
                                AuditEntry(actor: "benchmark", action: "benchmark.commit", target: "commits"))
                            done += 1
                        }
                        return done
                    }
                }
                return try await tasks.reduce(0, +)
            }
            return Double(count) / ((clock.now - start) / .seconds(1))
        }
    }
}
