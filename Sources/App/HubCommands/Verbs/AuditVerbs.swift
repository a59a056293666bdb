import ArgumentParser
import FoundationEssentials
import HubAPI
import HubCore

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Reads and checks the audit log.",
        subcommands: [List.self, Export.self, Verify.self])
}

extension AuditCommand {
    struct List: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists the newest rows of the audit log, newest first.",
            discussion: "Example: csghub audit list --limit 20")

        @Option(help: "How many rows.") var limit = 50
        @OptionGroup var list: ListOptions
        @OptionGroup var hub: HubOptions

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit is at least 1.") }
        }

        func perform(_ client: HubClient, _ console: Console) async throws {
            let columns: [Column<AuditModel>] = [
                Column("ROW", alignsRight: true) { String($0.sequence) },
                Column("TIME") { DisplayText.time($0.at) },
                Column("WHO") { $0.actor },
                Column("ACTION") { $0.action },
                Column("TARGET") { $0.target },
                Column("FROM") { $0.address ?? "" },
                Column("DETAIL") {
                    $0.detail.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
                },
            ]
            try await client.printList(["audit"], limit: limit, list, columns, console, none: "The audit log is empty.")
        }
    }

    struct Export: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Prints the audit log, oldest row first, one JSON object a line.",
            discussion: "Example: csghub audit export --after 1200 > audit.ndjson")

        @Option(help: ArgumentHelp("Only rows after this number.", valueName: "row")) var after: Int64 = 0
        @OptionGroup var hub: HubOptions

        func validate() throws {
            guard after >= 0 else { throw ValidationError("--after is a row's number.") }
        }

        func perform(_ client: HubClient, _ console: Console) async throws {
            try await client.lines(of: AuditModel.self, ["audit", "export"], query: [("after", String(after))]) { row in
                console.print(try JSONForm.text(row))
            }
        }
    }

    struct Verify: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract:
                "Checks that every row of the audit log follows from the one before, and prints the hash of the last.",
            discussion: """
                Keep the printed hash elsewhere: rows that were cut off since are noticed by it.

                Example: csghub audit verify
                """)

        @OptionGroup var list: ListOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let json = list.json
            try await client.lines(of: AuditCheckLine.self, ["audit", "verification"]) { line in
                if line.event == .progress {
                    if console.isErrorTerminal, !json {
                        console.errors("\r\u{1B}[KChecked \(line.checkedRows) of \(line.totalRows ?? 0) rows")
                    }
                    return
                }
                if console.isErrorTerminal, !json { console.errors("\r\u{1B}[K") }
                if json { console.print(try JSONForm.text(line)) }
                guard line.isIntact == true else {
                    throw CommandFailure(
                        .failed,
                        "The audit log is broken at row \(line.brokenAt ?? 0): \(line.message ?? "it does not follow from the row before.") "
                            + "Somebody changed the database, or its disk failed; compare it with a backup.")
                }
                if !json {
                    console.print(line.lastHash ?? "")
                    console.note("The audit log is intact: \(DisplayText.counted(line.checkedRows, "row")).")
                }
            }
        }
    }
}
