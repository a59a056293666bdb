import Foundation
import HubTestSupport
import Testing

/// The release, driven from outside with stock git, git-lfs and curl.
///
/// `CSGHUB_BINARY` names the executable; without it
/// these tests are skipped. They run one after another: most keep both cores busy.
@Suite("End to end", .serialized, .enabled(if: HubProcess.binary != nil, "CSGHUB_BINARY is not set"))
enum EndToEnd {
    /// Whether the long runs and large sizes are asked for.
    static let isFull = ProcessInfo.processInfo.environment["CSGHUB_FULL_TESTS"] == "1"
}

extension WorkingCopy {
    /// Adds commits to the branch: one file changes in each, one of ten others with it, a day apart.
    ///
    /// Commit `i`, from 0, is of the time 1,700,000,000 s + `i` days. The working folder is left alone.
    func importHistory(commits: Int, branch: String = "main", fileBytes: Int = 2000) throws {
        var stream = ""
        for index in 0..<commits {
            let text = String(repeating: "line \(index) of the history\n", count: fileBytes / 26)
            let message = "Change \(index)"
            stream += """
                commit refs/heads/\(branch)
                mark :\(index + 1)
                committer Ada <ada@example.org> \(1_700_000_000 + index * 86_400) +0000
                data \(message.utf8.count)
                \(message)

                """
            for name in ["data/file-\(index % 10).txt", "latest.txt"] {
                stream += "M 100644 inline \(name)\ndata \(text.utf8.count)\n\(text)\n"
            }
        }
        let file = client.folder.file("stream-\(UUID().uuidString)")
        try stream.write(toFile: file, atomically: true, encoding: .utf8)
        try git("fast-import", "--quiet", "--force", input: file)
    }

    /// Writes refs in one go, each pointing at the revision.
    func makeReferences(_ names: [String], at revision: String = "main") throws {
        let oid = try git("rev-parse", revision)
        let file = client.folder.file("references-\(UUID().uuidString)")
        try names.map { "create \($0) \(oid)\n" }.joined().write(toFile: file, atomically: true, encoding: .utf8)
        try git("update-ref", "--stdin", input: file)
    }

    /// Lets git-lfs take files of the pattern, and upload before each push.
    func trackLargeFiles(_ pattern: String = "*.safetensors") throws {
        try git("lfs", "install", "--local")
        try git("lfs", "track", pattern)
    }

    var commitCount: Int { get throws { Int(try git("rev-list", "--count", "HEAD")) ?? -1 } }
}

extension HubProcess {
    /// Exports the repository and checks every object of it with git.
    ///
    /// Returns the export's path.
    @discardableResult
    func verifyExport(of repository: String, for client: GitClient) throws -> String {
        let words = repository.split(separator: "/", maxSplits: 1).map(String.init)
        let target = client.folder.file("export-\(UUID().uuidString)")
        try run("repository", "export", String(words[0].dropLast()), words[1], target)
        let check = try client.attempt(["-C", target, "fsck", "--full", "--strict"], seconds: 600)
        #expect(check.succeeded, "\(check)")
        #expect(!check.text.contains("dangling") && !check.text.contains("missing"), "\(check)")
        return target
    }
}
