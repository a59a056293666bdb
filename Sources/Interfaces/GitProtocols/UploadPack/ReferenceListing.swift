import HubCore
import NIOCore
import MetadataStore

/// Who this server says it is in git's protocols.
enum GitAgent {
    static let text = "csghub/\(HubVersion.text)"
}

/// The ref advertisements of upload-pack and receive-pack and the answer of `ls-refs`.
///
/// Source: *git `gitprotocol-pack(5)`* and *`gitprotocol-v2(5)`*.
struct ReferenceListing {
    let state: GitState

    private var head: Reference? {
        let target = "refs/heads/" + state.defaultBranch
        return state.references.first { $0.name.text == target }
    }

    private var headTarget: String { "refs/heads/" + state.defaultBranch }

    /// The advertisement of protocol v0 and v1 for upload-pack: HEAD first, then refs by name, tags with their peeled line.
    func writeUploadPackAdvertisement(to buffer: inout ByteBuffer) {
        var capabilities =
            "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative no-progress "
            + "include-tag multi_ack_detailed allow-tip-sha1-in-want allow-reachable-sha1-in-want no-done filter object-format=sha1"
        if head != nil { capabilities += " symref=HEAD:\(headTarget)" }
        capabilities += " agent=\(GitAgent.text)"
        var isFirst = true
        func line(_ oid: GitOID, _ name: String) {
            buffer.writePktLine(isFirst ? "\(oid) \(name)\0\(capabilities)\n" : "\(oid) \(name)\n")
            isFirst = false
        }
        if let head { line(head.oid, "HEAD") }
        for reference in state.references {
            line(reference.oid, reference.name.text)
            if let peeled = reference.peeled { line(peeled, reference.name.text + "^{}") }
        }
        if isFirst { line(.zero, "capabilities^{}") }
        buffer.writeFlush()
    }

    /// The advertisement of receive-pack: refs by name, without HEAD and peeled lines.
    func writeReceivePackAdvertisement(to buffer: inout ByteBuffer) {
        let capabilities =
            "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options object-format=sha1 "
            + "agent=\(GitAgent.text)"
        var isFirst = true
        for reference in state.references {
            buffer.writePktLine(
                isFirst ? "\(reference.oid) \(reference.name)\0\(capabilities)\n" : "\(reference.oid) \(reference.name)\n")
            isFirst = false
        }
        if isFirst { buffer.writePktLine("\(GitOID.zero) capabilities^{}\0\(capabilities)\n") }
        buffer.writeFlush()
    }

    /// The answer of `ls-refs`: `<oid> <ref>[ symref-target:R][ peeled:<oid>]` lines and a flush.
    func writeListing(_ request: ListReferencesRequest, to buffer: inout ByteBuffer) {
        if request.includes("HEAD") {
            let target = request.wantsSymrefs ? " symref-target:\(headTarget)" : ""
            if let head {
                buffer.writePktLine("\(head.oid) HEAD\(target)\n")
            } else if request.wantsUnborn {
                buffer.writePktLine("unborn HEAD\(target)\n")
            }
        }
        for reference in state.references where request.includes(reference.name.text) {
            var line = "\(reference.oid) \(reference.name)"
            if request.wantsPeeled, let peeled = reference.peeled { line += " peeled:\(peeled)" }
            buffer.writePktLine(line + "\n")
        }
        buffer.writeFlush()
    }
}

/// The arguments of protocol v2 `ls-refs`.
struct ListReferencesRequest {
    /// More prefixes than this are ignored and everything is listed, as git does past its own bound.
    static let maximumPrefixes = 2_000

    var wantsSymrefs = false
    var wantsPeeled = false
    var wantsUnborn = false
    private(set) var prefixes: [String] = []
    private var isUnbounded = false

    init(arguments: [String]) throws(UploadPackError) {
        for argument in arguments {
            let (word, value) = argument.splitAtFirstSpace()
            switch word {
            case "symrefs": wantsSymrefs = true
            case "peel": wantsPeeled = true
            case "unborn": wantsUnborn = true
            case "ref-prefix": prefixes.append(value)
            default: throw .unknownArgument(argument)
            }
        }
        if prefixes.count > Self.maximumPrefixes { isUnbounded = true }
    }

    func includes(_ name: String) -> Bool {
        prefixes.isEmpty || isUnbounded || prefixes.contains { name.utf8.starts(with: $0.utf8) }
    }
}
