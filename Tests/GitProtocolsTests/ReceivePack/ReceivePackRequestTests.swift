import HubCore
import NIOCore
import Testing

@testable import GitProtocols

@Suite("push commands")
struct ReceivePackRequestTests {
    private let zero = String(repeating: "0", count: 40)
    private let one = String(repeating: "1", count: 40)

    private func read(_ lines: [String?]) throws -> ReceivePackRequest {
        var request = ReceivePackRequest()
        for line in lines { try request.read(line.map { .data(ByteBuffer(string: $0)) } ?? .flush) }
        return request
    }

    @Test("reads commands, capabilities and push options")
    func reads() throws {
        let request = try read([
            "\(zero) \(one) refs/heads/main\0 report-status-v2 side-band-64k atomic push-options", "\(one) \(zero) refs/heads/old", nil,
            "ci.skip", nil,
        ])
        #expect(request.isComplete && request.isAtomic && request.usesSideBand && request.reportVersion == 2)
        #expect(request.commands.map(\.name) == ["refs/heads/main", "refs/heads/old"])
        #expect(request.commands[0].old == nil && request.commands[1].new == nil && request.pushOptions == ["ci.skip"])
    }

    @Test("refuses what is no command", arguments: ["hello", "0000 1111 refs/heads/x", "push-cert x"])
    func refuses(_ line: String) { #expect(throws: ReceivePackError.self) { try read([line]) } }

    @Test("says why in one line")
    func report() throws {
        let request = try read(["\(zero) \(one) refs/heads/main\0report-status side-band-64k", nil])
        var report = ReceiveReport(request: request)
        report.unpackFailed("broken\nin two lines")
        let text = String(buffer: report.bytes())
        #expect(text.contains("unpack broken in two lines\n") && text.contains("ng refs/heads/main unpacker error\n"))
    }
}
