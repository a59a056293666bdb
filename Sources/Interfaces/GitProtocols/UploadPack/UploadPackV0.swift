import GitStore
import HubCore
import NIOCore

/// Protocol versions 0 and 1 of upload-pack over stateless HTTP. Source: *git `gitprotocol-pack(5)`*.
///
/// A client repeats its wants and the common haves in every request, so each is answered from its own lines alone.
struct UploadPackV0 {
    private(set) var request = UploadPackRequest()
    /// Have lines and the flushes between them, in order.
    private(set) var negotiation: [Step] = []

    enum Step {
        case have(GitOID)
        case flush
    }

    /// Reads `want <oid> <capabilities>`, more wants, shallow and deepen lines, a flush; then haves, flushes, `done`.
    init(_ lines: [PktLine]) throws(UploadPackError) {
        var isNegotiating = false
        for line in lines {
            guard let text = line.text else {
                if isNegotiating { negotiation.append(.flush) }
                isNegotiating = true
                continue
            }
            let haveCount = request.haves.count
            if try request.read(text) {
                if request.haves.count > haveCount, let have = request.haves.last { negotiation.append(.have(have)) }
            } else {
                try readWant(text)
            }
        }
    }

    private mutating func readWant(_ text: String) throws(UploadPackError) {
        let (word, rest) = text.splitAtFirstSpace()
        guard word == "want" else { throw .unknownArgument(text) }
        let (oid, capabilities) = rest.splitAtFirstSpace()
        if request.wants.isEmpty {
            request.capabilities = Set(capabilities.split(separator: " ").map(String.init))
            if request.has("deepen-relative") { request.isDeepenRelative = true }
        }
        try request.want(oid, line: text)
    }

    /// The lines before the pack, and whether it follows. Blocking; call on git's threads.
    func negotiate(fetch: FetchRequest, objects: GitObjects) throws -> (head: ByteBuffer, sendsPack: Bool) {
        var head = ByteBuffer()
        if request.asksForShallow {
            let update = try objects.shallowUpdate(for: fetch)
            for oid in update.shallow { head.writePktLine("shallow \(oid)") }
            for oid in update.unshallow { head.writePktLine("unshallow \(oid)") }
            head.writeFlush()
            // The client first wants to know the boundary and asks again with its haves.
            if negotiation.isEmpty, !request.isDone { return (head, false) }
        }
        let sendsPack = try acknowledge(fetch: fetch, objects: objects, into: &head)
        return (head, sendsPack)
    }

    private func acknowledge(fetch: FetchRequest, objects: GitObjects, into head: inout ByteBuffer) throws -> Bool {
        let isDetailed = request.has("multi_ack_detailed")
        let isMulti = isDetailed || request.has("multi_ack")
        var common: [GitOID] = []
        var sawCommon = false
        var sawOther = false
        var isReady = false
        func ready() throws -> Bool { try !common.isEmpty && objects.isReady(wants: fetch.wants, common: common) }

        for step in negotiation {
            switch step {
            case .have(let oid) where objects.contains(oid):
                sawCommon = true
                common.append(oid)
                if isDetailed {
                    head.writePktLine("ACK \(oid) common\n")
                } else if isMulti {
                    head.writePktLine("ACK \(oid) continue\n")
                } else if common.count == 1 {
                    head.writePktLine("ACK \(oid)\n")
                }
            case .have(let oid):
                sawOther = true
                guard isMulti, try ready() else { continue }
                if isDetailed { isReady = true }
                head.writePktLine(isDetailed ? "ACK \(oid) ready\n" : "ACK \(oid) continue\n")
            case .flush:
                if isDetailed, sawCommon, !sawOther, let last = common.last, try ready() {
                    isReady = true
                    head.writePktLine("ACK \(last) ready\n")
                }
                if common.isEmpty || isMulti { head.writePktLine("NAK\n") }
                if isReady, request.has("no-done"), let last = common.last {
                    head.writePktLine("ACK \(last)\n")
                    return true
                }
                sawCommon = false
                sawOther = false
            }
        }
        guard request.isDone else { return false }
        if let last = common.last {
            if isMulti { head.writePktLine("ACK \(last)\n") }
        } else {
            head.writePktLine("NAK\n")
        }
        return true
    }
}
