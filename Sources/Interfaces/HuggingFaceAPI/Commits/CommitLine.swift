import HubCore

/// A line of a commit's body. hf-hub-api §6 d.
enum CommitLine: Equatable {
    struct Header: Equatable {
        let summary: String
        let description: String
        let parentCommit: String?
    }

    case header(Header)
    /// A file whose content came before, piece by piece.
    case file(path: String)
    /// `sizeBytes` is absent in a copy of an object that the repository has.
    case largeFile(path: String, oid: ObjectID, sizeBytes: Int64?)
    /// A file, or a folder with all that is in it.
    case deletion(path: String, isFolder: Bool)
}

/// What the body of a commit brings next.
enum CommitEvent: Equatable {
    /// Bytes of the file whose line ends later.
    case content([UInt8])
    case line(CommitLine)
}

/// Why a body is not that of a commit.
enum CommitBodyError: Error, Equatable {
    case notJSON
    case tooDeep
    case textTooLong(String)
    case notBase64
    case unknownEncoding
    case missing(String, in: String)
    case unknownLine(String)
    case invalidObjectID
    case invalidSize
    case noHeader
    case secondHeader
    case tooManyChanges(limit: Int)
    case bodyTooLarge(limit: Int64)
}

extension CommitBodyError: Refusal {
    var problem: Problem {
        switch self {
        case .notJSON: Self.invalid("A line of the commit is not valid JSON.")
        case .tooDeep: Self.invalid("A line of the commit is nested too deeply.")
        case .textTooLong(let name): Self.invalid("“\(name.shortened)” is too long in a line of the commit.")
        case .notBase64: Self.invalid("The content of a file is not Base64.")
        case .unknownEncoding:
            Self.invalid("The content of a file has the encoding base64 or utf-8, and utf-8 is said before the content.")
        case .missing(let name, let line): Self.invalid("A line “\(line.shortened)” of the commit has no “\(name)”.")
        case .unknownLine(let key):
            Self.invalid(
                "“\(key.shortened)” is no line of a commit; use header, file, lfsFile, deletedFile and deletedFolder.")
        case .invalidObjectID: Self.invalid("The oid of a large file is its SHA-256, 64 lower-case hex digits.")
        case .invalidSize: Self.invalid("The size of a large file is a whole number of bytes.")
        case .noHeader: Self.invalid("The first line of a commit is its header.")
        case .secondHeader: Self.invalid("A commit has one header.")
        case .tooManyChanges(let limit): Self.invalid("A commit has at most \(limit) changes; make several.")
        case .bodyTooLarge(let limit):
            Problem(.tooLarge, code: "body_too_large", "The body of a commit has at most \(limit >> 20) MiB; make several.")
        }
    }

    private static func invalid(_ text: String) -> Problem { Problem(.invalid, code: "invalid_commit", text) }
}

/// The values of a line as they were read, in whatever order they came.
struct CommitLineFields {
    var key: String?
    var texts: [String: String] = [:]
    var size: Int64?
    var hasInvalidSize = false
    var hasContent = false

    /// What `value` may hold as text, with the most bytes of each.
    static let texts: [String: Int] = [
        "summary": 4_096, "description": 131_072, "parentCommit": 64, "path": 16_384, "oid": 64, "algo": 16, "encoding": 16,
    ]

    func line() throws(CommitBodyError) -> CommitLine {
        guard let key else { throw .missing("key", in: "") }
        switch key {
        case "header":
            guard texts["summary"] != nil else { throw .missing("summary", in: key) }
            return .header(
                CommitLine.Header(
                    summary: texts["summary"] ?? "", description: texts["description"] ?? "",
                    parentCommit: texts["parentCommit"]))
        case "file":
            guard hasContent else { throw .missing("content", in: key) }
            return .file(path: try path(key))
        case "lfsFile":
            guard texts["algo"] ?? "sha256" == "sha256", let oid = texts["oid"].flatMap({ ObjectID(hex: $0) }) else {
                throw .invalidObjectID
            }
            guard !hasInvalidSize else { throw .invalidSize }
            return .largeFile(path: try path(key), oid: oid, sizeBytes: size)
        case "deletedFile", "deletedEntry": return .deletion(path: try path(key), isFolder: false)
        case "deletedFolder": return .deletion(path: try path(key), isFolder: true)
        default: throw .unknownLine(key)
        }
    }

    private func path(_ key: String) throws(CommitBodyError) -> String {
        guard let path = texts["path"] else { throw .missing("path", in: key) }
        return path
    }
}
