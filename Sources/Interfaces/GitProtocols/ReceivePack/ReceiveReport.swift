import HubCore
import NIOCore
import Repositories

/// The answer to a push: `unpack ok`, then `ok <ref>` or `ng <ref> <why>` for each command.
///
/// Source: *git `gitprotocol-pack(5)`*, "Report Status". With a side band the report is band 1's content, itself pkt-lines.
struct ReceiveReport {
    private let request: ReceivePackRequest
    private var unpackStatus = "ok"
    private var outcomes: [PushReport.Outcome]
    private var messages: [String] = []

    init(request: ReceivePackRequest) {
        self.request = request
        outcomes = request.commands.map { _ in .refused("unpacker error") }
    }

    mutating func unpackFailed(_ reason: String) {
        unpackStatus = Self.oneLine(reason)
        outcomes = request.commands.map { _ in .refused("unpacker error") }
    }

    mutating func set(_ report: PushReport) {
        outcomes = report.outcomes
        messages = report.messages
    }

    func bytes() -> ByteBuffer {
        var report = ByteBuffer()
        if request.reportVersion > 0 {
            report.writePktLine("unpack \(unpackStatus)\n")
            for (command, outcome) in zip(request.commands, outcomes) { write(command, outcome, to: &report) }
            report.writeFlush()
        }
        guard request.usesSideBand else { return report }
        var framed = ByteBuffer()
        if !messages.isEmpty { framed.writeSideBand(2, messages.joined(separator: "\n") + "\n") }
        framed.writeSideBand(1, report)
        framed.writeFlush()
        return framed
    }

    private func write(_ command: ReferenceCommand, _ outcome: PushReport.Outcome, to report: inout ByteBuffer) {
        switch outcome {
        case .refused(let reason): report.writePktLine("ng \(command.name) \(Self.oneLine(reason))\n")
        case .updated(let isForced):
            report.writePktLine("ok \(command.name)\n")
            if isForced, request.reportVersion == 2 { report.writePktLine("option forced-update\n") }
        }
    }

    /// A reason is the rest of a line, and a line must fit a packet.
    private static func oneLine(_ text: String) -> String {
        // A ref name has 1,024 bytes at most once it is valid, and one that is not is cut as well.
        String(decoding: text.utf8.prefix(1000), as: UTF8.self).split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
