import HubCore

/// The rules for the entries of one tree, fed in order (git `fsck.c`, `fsck_tree`).
///
/// Refused: names that are empty, `.`, `..` or hold a slash; any spelling of `.git`; entries out of order or twice, a
/// file and a folder of one name included; the null name; modes that are not git's; `.gitmodules` as anything but a
/// file. A regular file may have any permission bits, as in histories of git's first years: git reads them as 644 or
/// 755.
struct TreeRules {
    private let maximumNameBytes: Int
    private var previous: TreeParser.Entry?
    /// Files whose name is the beginning of the present one: a folder of that name may still come after names in
    /// between (`a`, `a.b`, `a/`).
    private var prefixes: [UnsafeRawBufferPointer] = []

    init(maximumNameBytes: Int) {
        self.maximumNameBytes = maximumNameBytes
    }

    /// Makes the value ready for another tree, keeping its memory.
    mutating func reset() {
        previous = nil
        prefixes.removeAll(keepingCapacity: true)
    }

    /// What the name says of the file beyond the tree.
    enum Kind {
        case ordinary
        case special(DotGitNames.SpecialFile)
    }

    @inline(__always)
    mutating func check(_ entry: TreeParser.Entry) throws(RuleViolation) -> Kind {
        if entry.hasZeroPaddedMode { throw RuleViolation("zeroPaddedFilemode", "contains zero-padded file modes") }
        guard Self.isValid(mode: entry.mode) else {
            throw RuleViolation("badFilemode", "contains the file mode \(String(entry.mode, radix: 8))")
        }
        if entry.oid.isZero { throw RuleViolation("nullSha1", "contains entries pointing to null sha1") }
        let kind = try Self.check(name: entry, maximumBytes: maximumNameBytes)
        try checkOrder(entry)
        previous = entry
        return kind
    }

    private static func isValid(mode: UInt32) -> Bool {
        switch mode {
        case GitFileMode.tree, GitFileMode.file, GitFileMode.executable, GitFileMode.symlink, GitFileMode.gitlink: true
        default: GitFileMode.isRegularFile(mode) && mode & 0o7000 == 0
        }
    }

    // MARK: Names

    @inline(__always)
    private static func check(name entry: TreeParser.Entry, maximumBytes: Int) throws(RuleViolation) -> Kind {
        let name = entry.name
        guard name.count <= maximumBytes else {
            throw RuleViolation("largePathname", "contains a name that is too long")
        }
        // All special spellings begin with a dot, `g` or an ignored code point, or follow a backslash.
        var isPlain = true
        for byte in name {
            if byte == UInt8(ascii: "/") { throw RuleViolation("fullPathname", "contains full pathnames") }
            if byte >= 0x80 || byte == UInt8(ascii: "\\") { isPlain = false }
        }
        let first = name[0]
        if isPlain, first != UInt8(ascii: "."), first | 0x20 != UInt8(ascii: "g") { return .ordinary }
        return try checkSuspicious(entry)
    }

    private static func checkSuspicious(_ entry: TreeParser.Entry) throws(RuleViolation) -> Kind {
        let name = entry.name
        if name.elementsEqual(".".utf8) { throw RuleViolation("hasDot", "contains '.'") }
        if name.elementsEqual("..".utf8) { throw RuleViolation("hasDotdot", "contains '..'") }
        if DotGitNames.isDotGit(name) { throw RuleViolation("hasDotgit", "contains '.git'") }
        if DotGitNames.matches(name, .gitmodules) {
            if entry.mode == GitFileMode.symlink {
                throw RuleViolation("gitmodulesSymlink", ".gitmodules is a symbolic link")
            }
            guard GitFileMode.isRegularFile(entry.mode) else {
                throw RuleViolation("gitmodulesBlob", ".gitmodules is not a file")
            }
            return .special(.gitmodules)
        }
        if DotGitNames.matches(name, .gitattributes), GitFileMode.isRegularFile(entry.mode) {
            return .special(.gitattributes)
        }
        return .ordinary
    }

    // MARK: Order

    /// Compares as git sorts: by bytes, a folder as if its name ended in a slash.
    @inline(__always)
    private mutating func checkOrder(_ entry: TreeParser.Entry) throws(RuleViolation) {
        guard let previous else {
            if !GitFileMode.isTree(entry.mode) { prefixes.append(entry.name) }
            return
        }
        let common = min(previous.name.count, entry.name.count)
        var order = previous.name.compare(entry.name, upTo: common)
        if order == 0 {
            if previous.name.count == entry.name.count { throw Self.duplicate }
            order = Self.byte(of: previous, at: common) - Self.byte(of: entry, at: common)
        }
        guard order < 0 else { throw RuleViolation("treeNotSorted", "not properly sorted") }
        while let top = prefixes.last {
            if entry.name.count >= top.count, top.compare(entry.name, upTo: top.count) == 0 {
                if entry.name.count == top.count { throw Self.duplicate }
                break
            }
            prefixes.removeLast()
        }
        if !GitFileMode.isTree(entry.mode) { prefixes.append(entry.name) }
    }

    @inline(__always)
    private static func byte(of entry: TreeParser.Entry, at index: Int) -> Int32 {
        if index < entry.name.count { return Int32(entry.name[index]) }
        return GitFileMode.isTree(entry.mode) ? Int32(UInt8(ascii: "/")) : 0
    }

    private static let duplicate = RuleViolation("duplicateEntries", "contains duplicate file entries")
}
