import Foundation

/// Invents a history as a `git fast-import` stream: branches, merges, folders, renames, links, a submodule and tags of all kinds.
struct History {
    /// How many commits, at least 20.
    var commits = 60
    var seed: UInt64 = 1
    /// Seconds between commits; less than zero for clocks that run backwards.
    var clockSteps: ClosedRange<Int> = 10...1000

    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var value = state
            value ^= value >> 33
            value &*= 0xff51_afd7_ed55_8ccd
            return value ^ value >> 33
        }
    }

    /// Branches `main` and `side`, with `v0`, `v1`, … on every tenth commit of `main`, and the tags of `makeTags`.
    func make(in git: GitCommand) throws {
        var random = Generator(state: seed)
        var stream = ""
        var files: [String: [String]] = [:]
        var time = 1_600_000_000
        for number in 1...commits {
            let branch = number % 7 == 0 ? "side" : "main"
            time += Int.random(in: clockSteps, using: &random)
            stream += "commit refs/heads/\(branch)\nmark :\(number)\ncommitter Ada <ada@example.com> \(time) +0000\n"
            stream += Self.data("Commit \(number)\n")
            if number == 7 { stream += "from :6\n" }
            if number % 7 == 5, number > 7 { stream += "merge :\(number - number % 7)\n" }
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                change(&files, in: &stream, &random)
            }
            if number == 3 { stream += "M 160000 1234567890123456789012345678901234567890 library\n" }
            if number == 4 { stream += "M 120000 inline link\n" + Self.data("folder/file-1") }
            stream += "\n"
            if number % 10 == 0 {
                stream +=
                    "tag v\(number / 10)\nfrom :\(number)\ntagger Ada <ada@example.com> \(time) +0000\n"
                    + Self.data("Tag\n")
            }
        }
        try git("fast-import", "--quiet", input: Array(stream.utf8))
        try git("symbolic-ref", "HEAD", "refs/heads/main")
        try makeTags(in: git)
    }

    /// `tree-tag`, `blob-tag` and `tag-of-tag`, which name what their names say.
    private func makeTags(in git: GitCommand) throws {
        try git("tag", "-a", "-m", "tree", "tree-tag", "main^{tree}")
        let blob = try git.lines("rev-parse", "main:link")[0]
        try git("tag", "-a", "-m", "blob", "blob-tag", blob)
        try git("tag", "-a", "-m", "tag", "tag-of-tag", "v1")
    }

    private func change(_ files: inout [String: [String]], in stream: inout String, _ random: inout Generator) {
        let folders = ["", "folder/", "folder/deep/", "folder/deep/deeper/", "other/", "a/b/c/d/"]
        let name =
            folders.randomElement(using: &random).map { $0 + "file-\(Int.random(in: 1...6, using: &random))" } ?? "file"
        var lines = files[name] ?? (0..<Int.random(in: 3...60, using: &random)).map { _ in Self.line(&random) }
        lines.insert(Self.line(&random), at: Int.random(in: 0...lines.count, using: &random))
        files[name] = lines
        let mode = Int.random(in: 0..<9, using: &random) == 0 ? "100755" : "100644"
        stream += "M \(mode) inline \(name)\n" + Self.data(lines.joined(separator: "\n") + "\n")
        if Int.random(in: 0..<12, using: &random) == 0 {
            files[name] = nil
            stream += "R \(name) moved/\(name)\n"
        }
    }

    private static func line(_ random: inout Generator) -> String {
        (0..<8).map { _ in String(random.next() & 0xfffff, radix: 36) }.joined(separator: " ")
    }

    private static func data(_ text: String) -> String { "data \(text.utf8.count)\n\(text)\n" }
}
