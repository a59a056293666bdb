import ArgumentParser
import FoundationEssentials
import Glibc
import HubAPI
import HubCore
import MetadataStore

/// Measures parts of the hub that no client can reach alone. For `installer/benchmark`.
struct BenchmarkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark", abstract: "Measures the hub's parts.", shouldDisplay: false,
        subcommands: [Commits.self, Lists.self])
}

extension BenchmarkCommand {
    struct Commits: HubVerb {
        static let configuration = CommandConfiguration(
            abstract: "Measures durable commits a second in a new database in a folder.",
            discussion: "Example: csghub benchmark commits --data /var/tmp --writers 64 --seconds 3")

        @Option(help: "The folder in which the database is made and removed again.") var data: String
        @Option(help: "How many write at once; 64 unless given.") var writers = 64
        @Option(help: "How long; 3 unless given.") var seconds = 3.0
        @OptionGroup var list: ListOptions

        func validate() throws {
            guard (1...4096).contains(writers) else { throw ValidationError("--writers is 1 to 4096.") }
            guard (0.1...600).contains(seconds) else { throw ValidationError("--seconds is 0.1 to 600.") }
        }

        func perform(in session: CommandSession) async throws {
            let folder = HubLocation.absolute(data)
            let path = "\(folder)/csghub-benchmark-\(getpid())"
            guard mkdir(folder, 0o755) == 0 || errno == EEXIST, mkdir(path, 0o700) == 0 else {
                throw CommandFailure(
                    .failed, "A folder cannot be made in \(folder): \(String(cString: strerror(errno))).")
            }
            // What stays is in the caller's temporary folder.
            defer { try? FileManager.default.removeItem(atPath: path) }
            let store = try MetadataStore(path: path + "/hub.db")
            for count in writers == 1 ? [1] : [1, writers] {
                let figure = Figure(writers: count, commitsPerSecond: try await commitsPerSecond(store, writers: count))
                session.console.print(
                    list.json
                        ? try JSONForm.text(figure)
                        : "\(DisplayText.counted(count, "writer")): \(Int(figure.commitsPerSecond)) commits a second")
            }
            try store.close()
        }

        private struct Figure: Codable {
            let writers: Int
            let commitsPerSecond: Double
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
