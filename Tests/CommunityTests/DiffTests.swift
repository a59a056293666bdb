import HubTestSupport
import Testing

@testable import Community

@Suite("Line diffs")
struct DiffTests {
    private func lines(_ text: String) -> [ArraySlice<UInt8>] {
        text.map { Array(String($0).utf8)[...] }
    }

    /// The new text, made from the old one and the changes.
    private func apply(_ changes: [LineDiff.Change], _ old: String, _ new: String) -> String {
        let (before, after) = (Array(old), Array(new))
        var result = ""
        var position = 0
        for change in changes {
            result += String(before[position..<change.old.lowerBound]) + String(after[change.new])
            position = change.old.upperBound
        }
        return result + String(before[position...])
    }

    @Test(
        "find the fewest changes",
        arguments: [
            ("", "", 0), ("abc", "abc", 0), ("", "abc", 3), ("abc", "", 3), ("abcabba", "cbabac", 5), ("abcdef", "abXdef", 2),
            ("aaaa", "aa", 2), ("kitten", "sitting", 5), ("xaxcxabc", "abcy", 6),
        ])
    func fewest(_ item: (String, String, Int)) {
        let changes = LineDiff.changes(from: lines(item.0), to: lines(item.1))
        #expect(apply(changes, item.0, item.1) == item.1)
        #expect(changes.reduce(0) { $0 + $1.old.count + $1.new.count } == item.2)
    }

    @Test("any two texts: the changes lead from one to the other")
    func random() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let old = String((0..<Int.random(in: 0...40, using: &generator)).compactMap { _ in "abcd".randomElement(using: &generator) })
            let new = String((0..<Int.random(in: 0...40, using: &generator)).compactMap { _ in "abcd".randomElement(using: &generator) })
            #expect(apply(LineDiff.changes(from: lines(old), to: lines(new)), old, new) == new, "\(old) → \(new)")
        }
    }

    @Test("texts that have little in common are one change")
    func bounded() {
        let old = (0..<3000).map { Array("old \($0)".utf8)[...] }
        let new = (0..<3000).map { Array("new \($0)".utf8)[...] }
        #expect(LineDiff.changes(from: old, to: new) == [LineDiff.Change(old: 0..<3000, new: 0..<3000)])
    }
}
