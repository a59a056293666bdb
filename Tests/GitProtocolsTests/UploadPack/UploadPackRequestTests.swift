import HubCore
import NIOCore
import Testing

@testable import GitProtocols

@Suite("fetch requests")
struct UploadPackRequestTests {
    private let oid = String(repeating: "a", count: 40)

    private func lines(_ texts: [String?]) -> [PktLine] { texts.map { $0.map { .data(ByteBuffer(string: $0)) } ?? .delimiter } }

    @Test("version 2 fetch")
    func fetch() throws {
        let command = try UploadPackV2.parse(
            lines(["command=fetch", "agent=git/2.39", "object-format=sha1", nil, "thin-pack", "want \(oid)\n", "deepen 3", "filter blob:none", "done"]))
        guard case .fetch(let request) = command else {
            Issue.record("not a fetch")
            return
        }
        #expect(request.wants.count == 1 && request.depth == 3 && request.isDone && request.has("thin-pack") && request.filter != nil)
    }

    @Test(
        "version 2 refuses what it did not offer",
        arguments: [
            ["command=gc"], ["hello"], ["command=fetch", "object-format=sha256"], ["command=fetch", nil, "want x"],
            ["command=fetch", nil, "packfile-uris http"], ["command=fetch", nil, "deepen -1"], ["command=fetch", nil, "filter sparse:oid=x"],
            ["command=ls-refs", nil, "everything"],
        ] as [[String?]])
    func refuses(_ texts: [String?]) { #expect(throws: UploadPackError.self) { try UploadPackV2.parse(lines(texts)) } }

    @Test("version 0 keeps the order of haves and flushes")
    func stateless() throws {
        let exchange = try UploadPackV0([
            .data(ByteBuffer(string: "want \(oid) multi_ack_detailed no-done side-band-64k\n")), .flush,
            .data(ByteBuffer(string: "have \(oid)\n")), .flush, .data(ByteBuffer(string: "done\n")),
        ])
        #expect(exchange.request.isDone && exchange.negotiation.count == 2 && exchange.request.has("no-done"))
    }

    @Test("the highest known protocol version wins", arguments: [("version=2", 2), ("version=1:version=2:x", 2), ("version=9", 0), ("", 0)])
    func version(_ header: String, _ expected: Int) { #expect(ProtocolVersion(header: header).rawValue == expected) }
}
