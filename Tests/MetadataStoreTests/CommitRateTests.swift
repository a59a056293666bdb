import Foundation
import Testing

@testable import MetadataStore

@Suite("Commit rate")
struct CommitRateTests {
    /// Measures for longer and prints when `CSGHUB_FULL_TESTS=1`; the goal is shown by the benchmark, not asserted
    /// here.
    @Test("can be measured, and 64 writers commit more than one")
    func rate() async throws {
        let isFull = ProcessInfo.processInfo.environment["CSGHUB_FULL_TESTS"] == "1"
        let folder = FileManager.default.temporaryDirectory.path
        let duration: Duration = isFull ? .seconds(3) : .milliseconds(200)
        let one = try await MetadataStore.measureCommits(in: folder, writers: 1, for: duration)
        let many = try await MetadataStore.measureCommits(in: folder, writers: 64, for: duration)
        #expect(one.commits > 0 && many.commits > 0)
        if isFull { print("commits/s: 1 writer \(Int(one.perSecond)), 64 writers \(Int(many.perSecond))") }
    }
}
