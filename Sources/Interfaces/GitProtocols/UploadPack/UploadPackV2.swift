import GitStore
import HubCore
import NIOCore
import Repositories

/// Protocol version 2 of upload-pack. Source: *git `gitprotocol-v2(5)`*.
enum UploadPackV2 {
    /// Advertised when a client sends `Git-Protocol: version=2`.
    ///
    /// `ref-in-want` is left out: refs are read in one transaction, and the client asks again on the next request.
    static func writeAdvertisement(to buffer: inout ByteBuffer) {
        buffer.writePktLine("version 2\n")
        buffer.writePktLine("agent=\(GitAgent.text)\n")
        buffer.writePktLine("ls-refs=unborn\n")
        buffer.writePktLine("fetch=shallow wait-for-done filter\n")
        buffer.writePktLine("server-option\n")
        buffer.writePktLine("object-format=sha1\n")
        buffer.writePktLine("object-info\n")
        buffer.writeFlush()
    }

    enum Command {
        /// A bare flush: the client has no more requests.
        case none
        case listReferences(ListReferencesRequest)
        case fetch(UploadPackRequest)
        case objectInfo(sizes: Bool, oids: [GitOID])
    }

    /// Reads `command=X`, capability lines, a delimiter, argument lines and a flush.
    static func parse(_ lines: [PktLine]) throws(UploadPackError) -> Command {
        guard let name = lines.first?.text else { return .none }
        guard name.hasPrefix("command=") else { throw .malformed(name) }
        let delimiter = lines.firstIndex(of: .delimiter) ?? lines.endIndex
        for case let capability? in lines[1..<delimiter].map(\.text) where capability.hasPrefix("object-format=") {
            guard capability == "object-format=sha1" else {
                throw .otherObjectFormat(String(capability.dropFirst("object-format=".count)))
            }
        }
        let arguments = lines[delimiter...].compactMap(\.text)
        switch name.dropFirst("command=".count) {
        case "ls-refs": return .listReferences(try ListReferencesRequest(arguments: arguments))
        case "fetch": return .fetch(try fetchRequest(arguments))
        case "object-info": return try objectInfo(arguments)
        default: throw .unknownCommand(String(name.dropFirst("command=".count)))
        }
    }

    private static func fetchRequest(_ arguments: [String]) throws(UploadPackError) -> UploadPackRequest {
        var request = UploadPackRequest()
        for argument in arguments {
            if try request.read(argument) { continue }
            let (word, value) = argument.splitAtFirstSpace()
            switch word {
            case "want": try request.want(value, line: argument)
            case "thin-pack", "no-progress", "include-tag", "ofs-delta", "wait-for-done": request.capabilities.insert(word)
            default: throw .unknownArgument(argument)
            }
        }
        return request
    }

    private static func objectInfo(_ arguments: [String]) throws(UploadPackError) -> Command {
        var sizes = false
        var oids: [GitOID] = []
        for argument in arguments {
            if argument == "size" { sizes = true; continue }
            guard argument.hasPrefix("oid "), let oid = GitOID(hex: argument.dropFirst(4)), oids.count < 100_000 else {
                throw .malformed(argument)
            }
            oids.append(oid)
        }
        return .objectInfo(sizes: sizes, oids: oids)
    }

    /// What the answer to a fetch begins with, and whether a pack follows.
    struct Negotiation {
        var head = ByteBuffer()
        var common: [GitOID] = []
        var sendsPack = false
    }

    /// Writes `acknowledgments` and `shallow-info`. Blocking; call on git's threads.
    static func negotiate(_ request: UploadPackRequest, fetch: FetchRequest, objects: GitObjects) throws -> Negotiation {
        var result = Negotiation()
        result.common = fetch.haves
        if !request.isDone {
            result.head.writePktLine("acknowledgments\n")
            if result.common.isEmpty { result.head.writePktLine("NAK\n") }
            for oid in result.common { result.head.writePktLine("ACK \(oid)\n") }
            let isReady =
                try !request.has("wait-for-done") && !result.common.isEmpty
                && objects.isReady(wants: fetch.wants, common: result.common)
            guard isReady else {
                result.head.writeFlush()
                return result
            }
            result.head.writePktLine("ready\n")
            result.head.writeDelimiter()
        }
        result.sendsPack = true
        if request.asksForShallow {
            let update = try objects.shallowUpdate(for: fetch)
            result.head.writePktLine("shallow-info\n")
            for oid in update.shallow { result.head.writePktLine("shallow \(oid)\n") }
            for oid in update.unshallow { result.head.writePktLine("unshallow \(oid)\n") }
            result.head.writeDelimiter()
        }
        result.head.writePktLine("packfile\n")
        return result
    }

    /// The answer of `object-info`: `size`, then `<oid> <size>` lines; an unknown object has no size.
    static func writeObjectInfo(sizes: Bool, oids: [GitOID], objects: GitObjects, to buffer: inout ByteBuffer) throws {
        if sizes { buffer.writePktLine("size\n") }
        for oid in oids {
            let size = try sizes ? objects.header(of: oid)?.sizeBytes : nil
            buffer.writePktLine(size.map { "\(oid) \($0)\n" } ?? "\(oid) \n")
        }
        buffer.writeFlush()
    }
}
