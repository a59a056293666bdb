import GitStore
import HubCore

/// What a client asks of upload-pack, in any protocol version.
///
/// Limits: 1,000,000 wants (a partial clone asks for many blobs at once), 100,000 haves, 100,000 shallow lines.
struct UploadPackRequest {
    static let maximumWants = 1_000_000
    static let maximumHaves = 100_000
    static let maximumShallow = 100_000

    var wants: [GitOID] = []
    var haves: [GitOID] = []
    var clientShallow: Set<GitOID> = []
    var capabilities: Set<String> = []
    var filter: ObjectFilter?
    var depth: Int?
    var deepenSince: Int64?
    /// Revisions that `deepen-not` names, as the client wrote them.
    var deepenNot: [String] = []
    var isDeepenRelative = false
    /// The client has sent `done`: the pack follows without further talk.
    var isDone = false

    var asksForShallow: Bool { depth != nil || deepenSince != nil || !deepenNot.isEmpty }

    func has(_ capability: String) -> Bool { capabilities.contains(capability) }

    /// Reads a line that both protocol families share; `false` when it is another one.
    mutating func read(_ line: String) throws(UploadPackError) -> Bool {
        let (word, value) = line.splitAtFirstSpace()
        switch word {
        case "have": haves.append(try oid(value, line))
        case "shallow": clientShallow.insert(try oid(value, line))
        case "deepen": depth = try positive(value, line)
        case "deepen-since": deepenSince = Int64(try positive(value, line))
        case "deepen-not": deepenNot.append(value)
        case "deepen-relative": isDeepenRelative = true
        case "filter": filter = try Self.parseFilter(value)
        case "done": isDone = true
        default: return false
        }
        guard haves.count <= Self.maximumHaves else { throw .tooMany("have lines", Self.maximumHaves) }
        guard clientShallow.count <= Self.maximumShallow else { throw .tooMany("shallow lines", Self.maximumShallow) }
        return true
    }

    mutating func want(_ text: String, line: String) throws(UploadPackError) {
        wants.append(try oid(text, line))
        guard wants.count <= Self.maximumWants else { throw .tooMany("want lines", Self.maximumWants) }
    }

    private static func parseFilter(_ text: String) throws(UploadPackError) -> ObjectFilter {
        do { return try ObjectFilter(parsing: text) } catch { throw .invalidFilter(text) }
    }

    private func oid(_ text: String, _ line: String) throws(UploadPackError) -> GitOID {
        guard let oid = GitOID(hex: text) else { throw .malformed(line) }
        return oid
    }

    private func positive(_ text: String, _ line: String) throws(UploadPackError) -> Int {
        guard let value = Int(text), value > 0 else { throw .malformed(line) }
        return value
    }
}

/// Why upload-pack refused; git shows the text as `fatal: remote error: …`.
enum UploadPackError: Error, Equatable {
    case malformed(String)
    case unknownCommand(String)
    case unknownArgument(String)
    case notOurRef(GitOID)
    case unknownRevision(String)
    case invalidFilter(String)
    case otherObjectFormat(String)
    case tooMany(String, Int)
}

extension UploadPackError: Refusal {
    var problem: Problem {
        switch self {
        case .malformed(let line):
            Problem(.invalid, code: "malformed_line", "upload-pack: malformed line “\(line.shortened)”")
        case .unknownCommand(let name): Problem(.invalid, code: "unknown_command", "unknown command “\(name.shortened)”")
        case .unknownArgument(let text): Problem(.invalid, code: "unknown_argument", "unexpected line “\(text.shortened)”")
        case .notOurRef(let oid): Problem(.missing, code: "not_our_ref", "upload-pack: not our ref \(oid)")
        case .unknownRevision(let name):
            Problem(.missing, code: "unknown_revision", "git upload-pack: ambiguous deepen-not: \(name.shortened)")
        case .invalidFilter(let text):
            Problem(.invalid, code: "invalid_filter", "invalid filter-spec “\(text.shortened)”; this hub has blob:none, blob:limit=N, "
                + "tree:N, object:type=T and combine")
        case .otherObjectFormat(let name):
            Problem(.invalid, code: "object_format", "mismatched object format: server sha1; client \(name.shortened)")
        case .tooMany(let what, let limit):
            Problem(.tooLarge, code: "too_many_lines", "too many \(what); the limit is \(limit)")
        }
    }
}

extension String {
    /// The text before the first space and all after it (empty when there is none).
    func splitAtFirstSpace() -> (String, String) {
        guard let space = firstIndex(of: " ") else { return (self, "") }
        return (String(self[..<space]), String(self[index(after: space)...]))
    }
}
