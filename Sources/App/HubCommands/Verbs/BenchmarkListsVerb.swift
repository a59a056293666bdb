import ArgumentParser
import FoundationEssentials
import Glibc
import HubAPI
import HubCore
import MetadataStore

extension BenchmarkCommand {
    /// Lists and searches among many repositories.
    struct Lists: HubVerb {
        static let configuration = CommandConfiguration(
            abstract: "Measures lists and searches on a new database with many made repositories.",
            discussion: "Example: csghub benchmark lists --data /var/tmp --repositories 100000")

        @Option(help: "The folder in which the database is made and removed again.") var data: String
        @Option(help: "How many repositories; 100,000 unless given.") var repositories = 100_000
        @Option(help: "How often each query is asked; 100 unless given.") var rounds = 100
        @Option(help: "How many readers ask at once in the last figure; 32 unless given.") var readers = 32
        @Flag(help: "Makes DATA/hub.db and leaves it there for a hub to serve, instead of measuring.") var keep = false
        @OptionGroup var list: ListOptions

        func validate() throws {
            guard (1...5_000_000).contains(repositories) else { throw ValidationError("--repositories is 1 to 5,000,000.") }
            guard (1...100_000).contains(rounds) else { throw ValidationError("--rounds is 1 to 100,000.") }
            guard (1...1024).contains(readers) else { throw ValidationError("--readers is 1 to 1024.") }
        }

        func perform(in session: CommandSession) async throws {
            let folder = HubLocation.absolute(data)
            guard mkdir(folder, 0o750) == 0 || errno == EEXIST else { throw Self.noFolder(folder) }
            if keep { return try await fill(folder) }
            let path = "\(folder)/csghub-benchmark-\(getpid())"
            guard mkdir(path, 0o700) == 0 else { throw Self.noFolder(folder) }
            // What stays is in the caller's temporary folder.
            defer { try? FileManager.default.removeItem(atPath: path) }
            let store = try MetadataStore(path: path + "/hub.db")
            let benchmark = ListBenchmark(store: store)
            let rate = try await benchmark.fill(repositories) { _ in }
            if !list.json { session.console.print("Written: \(Int(rate)) repositories with their facts a second") }
            let cases = try await benchmark.cases()
            for figure in try await benchmark.alone(cases, rounds: rounds) { try show(figure, session) }
            let some = cases.filter { $0.query.limit <= 100 }
            try show(try await benchmark.together(some, readers: readers, rounds: max(1, rounds / 20)), session)
            try store.close()
        }

        private func fill(_ folder: String) async throws {
            guard access(folder + "/hub.db", F_OK) != 0 else {
                throw CommandFailure(.failed, "\(folder) holds the database of a hub already; name another folder.")
            }
            let store = try MetadataStore(path: folder + "/hub.db")
            _ = try await ListBenchmark(store: store).fill(repositories) { _ in }
            try store.close()
        }

        private static func noFolder(_ folder: String) -> CommandFailure {
            CommandFailure(.failed, "A folder cannot be made in \(folder): \(String(cString: strerror(errno))).")
        }

        private func show(_ figure: ListBenchmark.Figure, _ session: CommandSession) throws {
            guard !list.json else { return session.console.print(try JSONForm.text(figure)) }
            let times = "median \(Self.text(figure.medianMilliseconds)) ms, p99 \(Self.text(figure.p99Milliseconds)) ms"
            session.console.print(
                figure.readers == 1
                    ? "\(figure.query): \(figure.found) found, \(times)"
                    : "\(figure.readers) readers, \(figure.query): \(Int(figure.queriesPerSecond)) a second, \(times)")
        }

        private static func text(_ milliseconds: Double) -> String { String(Double(Int(milliseconds * 100)) / 100) }
    }
}
