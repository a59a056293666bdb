import ArgumentParser
import HubAPI
import HubCore

struct ObjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "object", abstract: "Checks the stored large objects.", subcommands: [Verify.self])
}

extension ObjectCommand {
    struct Verify: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract:
                "Checks that every large object is there with its size, and with --all that its bytes are unchanged.",
            discussion: """
                Prints a line for each object that is not as it should be, and for each xorb: they hold the bytes of objects that Hugging
                Face clients sent, and stay for some weeks when no object uses them.

                Example: csghub object verify --all
                """)

        @Flag(help: "Read and hash every byte; takes as long as reading the disk.") var all = false
        @OptionGroup var list: ListOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let (json, readsAll) = (list.json, all)
            try await client.lines(
                of: ObjectCheckLine.self, ["objects", "verification"], query: all ? [("all", "true")] : []
            ) { line in
                let isDrawing = console.isErrorTerminal && !json
                if isDrawing { console.errors("\r\u{1B}[K") }
                switch line.event {
                case .progress:
                    if isDrawing {
                        console.errors(
                            "Checked \(DisplayText.counted(line.checkedObjects, "object")), \(DisplayText.bytes(line.checkedBytes))"
                        )
                    }
                case .problem:
                    console.print(
                        json
                            ? try JSONForm.text(line)
                            : "\(line.oid ?? line.xorb ?? "")\t\(line.defect?.rawValue ?? "")\t\(line.message ?? "")")
                case .summary:
                    if json { console.print(try JSONForm.text(line)) }
                    try conclude(line, readsAll: readsAll, console)
                }
            }
        }

        private func conclude(_ line: ObjectCheckLine, readsAll: Bool, _ console: Console) throws {
            var checked = DisplayText.counted(line.checkedObjects, "object")
            if line.checkedXorbs > 0 { checked += " and \(DisplayText.counted(line.checkedXorbs, "xorb"))" }
            guard line.problemObjects == 0 else {
                throw CommandFailure(.failed, "\(line.problemObjects) of \(checked) are not as they should be.")
            }
            let how = readsAll ? "\(DisplayText.bytes(line.checkedBytes)) read and hashed" : "present with their sizes"
            console.note("\(checked) checked, \(how).")
        }
    }
}
