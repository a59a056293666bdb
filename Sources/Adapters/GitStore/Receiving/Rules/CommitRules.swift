import HubCore

/// The rules for commits and tags (git `fsck.c`, `fsck_commit` and `fsck_tag`).
enum CommitRules {
    /// - Parameters:
    ///   - tree: Called with the commit's tree.
    ///   - parent: Called with each parent.
    static func check(
        commit bytes: UnsafeRawBufferPointer, tree: (GitOID) -> Void, parent: (GitOID) -> Void
    ) throws(RuleViolation) {
        try checkHeader(bytes)
        var lines = HeaderLines(bytes)
        guard lines.starts(with: "tree ") else {
            throw RuleViolation("missingTree", "invalid format - expected 'tree' line")
        }
        guard let treeOID = lines.oid(after: "tree ") else {
            throw RuleViolation("badTreeSha1", "invalid 'tree' line format - bad sha1")
        }
        if treeOID.isZero { throw RuleViolation("badTreeSha1", "names the null tree") }
        tree(treeOID)
        while lines.starts(with: "parent ") {
            guard let oid = lines.oid(after: "parent ") else {
                throw RuleViolation("badParentSha1", "invalid 'parent' line format - bad sha1")
            }
            parent(oid)
        }
        var authors = 0
        while let author = lines.text(after: "author ") {
            authors += 1
            try check(identity: author)
        }
        if authors == 0 { throw RuleViolation("missingAuthor", "invalid format - expected 'author' line") }
        if authors > 1 { throw RuleViolation("multipleAuthors", "invalid format - multiple 'author' lines") }
        guard let committer = lines.text(after: "committer ") else {
            throw RuleViolation("missingCommitter", "invalid format - expected 'committer' line")
        }
        try check(identity: committer)
        if bytes.contains(0) { throw RuleViolation("nulInCommit", "NUL byte in the commit object body") }
    }

    /// - Returns: what the tag points to, and the type that it says this has.
    static func check(
        tag bytes: UnsafeRawBufferPointer
    ) throws(RuleViolation) -> (target: GitOID, type: GitObjectType) {
        try checkHeader(bytes)
        var lines = HeaderLines(bytes)
        guard lines.starts(with: "object ") else {
            throw RuleViolation("missingObject", "invalid format - expected 'object' line")
        }
        guard let target = lines.oid(after: "object ") else {
            throw RuleViolation("badObjectSha1", "invalid 'object' line format - bad sha1")
        }
        if target.isZero { throw RuleViolation("badObjectSha1", "names the null object") }
        guard let typeName = lines.text(after: "type ") else {
            throw RuleViolation("missingTypeEntry", "invalid format - expected 'type' line")
        }
        guard let type = GitObjectType(name: typeName) else { throw RuleViolation("badType", "invalid 'type' value") }
        guard lines.text(after: "tag ") != nil else {
            throw RuleViolation("missingTagEntry", "invalid format - expected 'tag' line")
        }
        // Tags of git's first months have no tagger.
        if let tagger = lines.text(after: "tagger ") { try check(identity: tagger) }
        return (target, type)
    }

    /// The header must end in a blank line or with the object, and hold no NUL.
    private static func checkHeader(_ bytes: UnsafeRawBufferPointer) throws(RuleViolation) {
        var previous: UInt8 = 0
        for byte in bytes {
            if byte == 0 { throw RuleViolation("nulInHeader", "unterminated header: NUL") }
            if byte == UInt8(ascii: "\n"), previous == byte { return }
            previous = byte
        }
        guard previous == UInt8(ascii: "\n") else { throw RuleViolation("unterminatedHeader", "unterminated header") }
    }

    /// `Name <email> 1700000000 +0100`.
    private static func check(identity line: UnsafeRawBufferPointer) throws(RuleViolation) {
        var scanner = IdentityScanner(line)
        if scanner.current == UInt8(ascii: "<") {
            throw RuleViolation("missingNameBeforeEmail", "invalid author/committer line - missing name before email")
        }
        scanner.skip { $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }
        if scanner.current == UInt8(ascii: ">") {
            throw RuleViolation("badName", "invalid author/committer line - bad name")
        }
        guard scanner.current == UInt8(ascii: "<") else {
            throw RuleViolation("missingEmail", "invalid author/committer line - missing email")
        }
        guard scanner.previous == UInt8(ascii: " ") else {
            throw RuleViolation("missingSpaceBeforeEmail", "invalid author/committer line - missing space before email")
        }
        scanner.advance()
        scanner.skip { $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }
        guard scanner.current == UInt8(ascii: ">") else {
            throw RuleViolation("badEmail", "invalid author/committer line - bad email")
        }
        scanner.advance()
        guard scanner.current == UInt8(ascii: " ") else {
            throw RuleViolation("missingSpaceBeforeDate", "invalid author/committer line - missing space before date")
        }
        scanner.advance()
        try checkDate(&scanner)
    }

    private static func checkDate(_ scanner: inout IdentityScanner) throws(RuleViolation) {
        let digits = scanner.skip { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        if digits.first == UInt8(ascii: "0"), digits.count > 1 {
            throw RuleViolation("zeroPaddedDate", "invalid author/committer line - zero-padded date")
        }
        // git keeps times in 64 bits and refuses the last of them.
        if !digits.isEmpty, Int64(String(decoding: digits, as: UTF8.self)) == nil {
            throw RuleViolation("badDateOverflow", "invalid author/committer line - date causes integer overflow")
        }
        guard !digits.isEmpty, scanner.current == UInt8(ascii: " ") else {
            throw RuleViolation("badDate", "invalid author/committer line - bad date")
        }
        scanner.advance()
        let zone = scanner.rest
        guard zone.count == 5, zone.first == UInt8(ascii: "+") || zone.first == UInt8(ascii: "-"),
            zone.dropFirst().allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { throw RuleViolation("badTimezone", "invalid author/committer line - bad time zone") }
    }
}

/// Walks along one line.
private struct IdentityScanner {
    private let line: UnsafeRawBufferPointer
    private var index = 0

    init(_ line: UnsafeRawBufferPointer) { self.line = line }

    var current: UInt8? { index < line.count ? line[index] : nil }
    var previous: UInt8? { index > 0 ? line[index - 1] : nil }
    var rest: Slice<UnsafeRawBufferPointer> { line[index...] }

    mutating func advance() { index += 1 }

    @discardableResult
    mutating func skip(while condition: (UInt8) -> Bool) -> Slice<UnsafeRawBufferPointer> {
        let start = index
        while index < line.count, condition(line[index]) { index += 1 }
        return line[start..<index]
    }
}
