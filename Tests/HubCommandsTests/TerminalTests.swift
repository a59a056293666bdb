import HubAPI
import Testing

@testable import HubCommands

@Suite("What a terminal shows")
struct TerminalTests {
    private struct Item { let name: String, size: String }

    private var columns: [Column<Item>] {
        [Column("NAME") { $0.name }, Column("SIZE", alignsRight: true) { $0.size }, Column("NAME AGAIN") { $0.name }]
    }

    @Test("a table is aligned on a terminal, also with wide characters, and no line is wider than it")
    func table() {
        let console = TestConsole()
        var table = Table(columns, console: console.console(width: 30))
        table.print([
            Item(name: "bert", size: "7"), Item(name: "模型", size: "1234"),
            Item(name: "a-very-long-name-indeed", size: "1"),
        ])
        #expect(
            console.lines == [
                "NAME                     SIZE…", "bert                        7…", "模型                     1234…",
                "a-very-long-name-indeed     1…",
            ])
        #expect(console.lines.allSatisfy { DisplayText.width(of: $0) <= 30 })
    }

    @Test("elsewhere it is tab-separated, whole and without a heading")
    func tabs() {
        let console = TestConsole()
        var table = Table(columns, console: console.console())
        table.print([Item(name: "bert", size: "7")])
        #expect(console.output == "bert\t7\tbert\n")
    }

    @Test("names of others cannot move the cursor or add lines")
    func safety() {
        let console = TestConsole()
        var table = Table(columns, console: console.console())
        table.print([Item(name: "a\u{1B}[2J\nb\u{202E}", size: "\t")])
        #expect(console.output == "a\u{FFFD}[2J\u{FFFD}b\u{FFFD}\t\u{FFFD}\ta\u{FFFD}[2J\u{FFFD}b\u{FFFD}\n")
    }

    @Test(
        "sizes have three digits at most",
        arguments: [
            (0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (12_345, "12.3 KB"), (999_499, "999 KB"), (999_600, "1.0 MB"),
            (2_500_000_000, "2.5 GB"), (5_000_000_000_000, "5.0 TB"),
        ])
    func sizes(_ count: Int64, _ text: String) { #expect(DisplayText.bytes(count) == text) }

    @Test("times are short", arguments: [(7, "0:07"), (750, "12:30"), (11_100, "3:05:00")])
    func clocks(_ seconds: Int64, _ text: String) { #expect(DisplayText.clock(seconds) == text) }

    @Test("a progress bar shows share, sizes, rate and what is left, within the width")
    func bar() {
        let line = ProgressBar.line(
            label: "Uploading", done: 500_000_000, total: 1_000_000_000, rate: 50_000_000, width: 100)
        #expect(line == "Uploading  [###############---------------]   50 %  500 MB of 1.0 GB  50.0 MB/s  0:11 left")
        #expect(ProgressBar.line(label: "Hashing", done: 5000, total: nil, rate: nil, width: 80) == "Hashing  5.0 KB")
        for width in [20, 40, 60, 80] {
            let line = ProgressBar.line(label: "Uploading", done: 5, total: 10, rate: 1, width: width)
            #expect(DisplayText.width(of: line) < width, "\(line)")
        }
    }

    @Test("a progress bar draws ten times a second at most, and nothing where there is no terminal")
    func drawing() {
        let silent = TestConsole()
        let bar = ProgressBar("Hashing", total: 10, console: silent.console())
        bar.advance(by: 1)
        bar.finish()
        #expect(silent.errors.isEmpty)
        let console = TestConsole()
        let drawn = ProgressBar("Hashing", total: 1000, console: console.console(width: 80), now: { .seconds(1) })
        for _ in 0..<100 { drawn.advance(by: 1) }
        drawn.finish()
        drawn.advance(by: 1)
        #expect(console.errors.split(separator: "\r").count == 2, "\(console.errors.debugDescription)")
        let brief = TestConsole()
        let hidden = ProgressBar("Hashing", total: 1000, console: brief.console(width: 80), now: { .milliseconds(250) })
        hidden.advance(by: 1000)
        hidden.finish()
        #expect(brief.errors.isEmpty)
    }

    @Test("a question is asked only at a terminal, and anything but yes changes nothing")
    func questions() throws {
        let yes = TestConsole(answers: ["y"])
        try yes.console(width: 80).confirm("Delete it?", unless: false)
        #expect(yes.errors == "Delete it? [y/N] ")
        #expect(throws: CommandFailure(.failed, "Nothing was changed.")) {
            try TestConsole(answers: [""]).console(width: 80).confirm("Delete it?", unless: false)
        }
        let failure = #expect(throws: CommandFailure.self) {
            try TestConsole().console().confirm("Delete it?", unless: false)
        }
        #expect(failure?.status == .usage && failure?.message.contains("--yes") == true)
        try TestConsole().console().confirm("Delete it?", unless: true)
    }
}
