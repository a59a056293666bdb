import Foundation
import HubCore
import Testing

@testable import GitStore

/// An object and the rule of `git fsck --strict` that it breaks.
struct RuleCase: CustomTestStringConvertible, Sendable {
    let type: GitObjectType
    let bytes: [UInt8]
    /// `nil` when it is fine.
    let rule: String?
    let note: String

    var testDescription: String { "\(type.name): \(note)" }

    /// Another one for each type, as git complains of an object that is named as two.
    private static func oid(_ mode: String) -> [UInt8] { Array(repeating: mode.utf8.first ?? 0x11, count: 20) }
    private static let oid = oid("1")

    static func tree(_ rule: String?, _ entries: [(mode: String, name: String)], _ note: String? = nil) -> RuleCase {
        var bytes: [UInt8] = []
        for (mode, name) in entries { bytes += Array("\(mode) \(name)".utf8) + [0] + oid(mode) }
        return RuleCase(
            type: .tree, bytes: bytes, rule: rule, note: note ?? entries.map { "\($0.mode) \($0.name)" }.description)
    }

    static func named(_ rule: String?, _ name: String, mode: String = "100644") -> RuleCase {
        tree(rule, [(mode, name)])
    }

    static let hex = String(repeating: "1", count: 40)
    static let person = "Ada <ada@example.com> 1700000000 +0000"

    static func commit(_ rule: String?, _ text: String) -> RuleCase {
        RuleCase(type: .commit, bytes: Array(text.utf8), rule: rule, note: text)
    }

    /// A commit whose author line is this.
    static func author(_ rule: String?, _ line: String) -> RuleCase {
        commit(rule, "tree \(hex)\nauthor \(line)\ncommitter \(person)\n\nx\n")
    }

    static func tag(_ rule: String?, _ text: String) -> RuleCase {
        RuleCase(type: .tag, bytes: Array(text.utf8), rule: rule, note: text)
    }

    static let trees: [RuleCase] = [
        named("hasDot", "."), named("hasDotdot", ".."), named("fullPathname", "a/b"), named("hasDotgit", ".git"),
        named("hasDotgit", ".GiT", mode: "40000"), named("hasDotgit", ".git. "), named("hasDotgit", "git~1"),
        named("hasDotgit", "GIT~1 ."), named("hasDotgit", ".git::$INDEX_ALLOCATION"),
        named("hasDotgit", ".g\u{200c}it"),
        named("hasDotgit", ".git\u{feff}"), named("hasDotgit", "a\\.git"), named("hasDotgit", "a\\b\\git~1"),
        named("zeroPaddedFilemode", "a", mode: "0100644"), named("badFilemode", "a", mode: "777"),
        named("badFilemode", "a", mode: "110644"),
        tree("treeNotSorted", [("100644", "b"), ("100644", "a")]),
        tree("treeNotSorted", [("40000", "a"), ("100644", "a.b")]),
        tree("duplicateEntries", [("100644", "a"), ("100644", "a")]),
        tree("duplicateEntries", [("100644", "a"), ("40000", "a")]),
        tree("duplicateEntries", [("100644", "a"), ("100644", "a-b"), ("100644", "a.b"), ("40000", "a")]),
        named("gitmodulesSymlink", ".gitmodules", mode: "120000"),
        named("gitmodulesSymlink", ".GITMODULES", mode: "120000"),
        named("gitmodulesSymlink", "gitmod~1", mode: "120000"), named("gitmodulesSymlink", "gi7eba~1", mode: "120000"),
        named("gitmodulesSymlink", "gi7eb~10", mode: "120000"),
        named("gitmodulesSymlink", ".gitmodules .", mode: "120000"),
        named("gitmodulesSymlink", ".gitmodu\u{200d}les", mode: "120000"),
        RuleCase(
            type: .tree, bytes: Array("100644 a".utf8) + [0] + Array(repeating: 0, count: 20), rule: "nullSha1",
            note: "null"),
        RuleCase(type: .tree, bytes: Array("100644 a".utf8) + [0, 1, 2], rule: "badTree", note: "cut off"),
        RuleCase(type: .tree, bytes: Array("100644 ".utf8) + [0] + oid, rule: "badTree", note: "empty name"),
        RuleCase(type: .tree, bytes: Array("1x0644 a".utf8) + [0] + oid, rule: "badTree", note: "mode"),
        tree(nil, []), named(nil, "git~2"), named(nil, "..."), named(nil, "..a"), named(nil, ".gitx"),
        named(nil, "a", mode: "100664"),
        named(nil, "a", mode: "100600"), named(nil, "a", mode: "160000"), named(nil, "gitmod~5", mode: "120000"),
        named(nil, ".gitmodulesx", mode: "120000"), named(nil, "é\\ü"), named(nil, "git"), named(nil, "a\u{200c}b"),
        tree(nil, [("100644", "a"), ("100644", "a.b"), ("40000", "a-")].sorted { $0.1 < $1.1 }),
        tree(nil, [("100644", "a.b"), ("40000", "a"), ("100644", "a0")]),
    ]

    static let commits: [RuleCase] = [
        commit("missingTree", "parent \(hex)\n\n"),
        commit("badTreeSha1", "tree 123\nauthor \(person)\ncommitter \(person)\n\n"),
        commit("badParentSha1", "tree \(hex)\nparent 12\nauthor \(person)\ncommitter \(person)\n\n"),
        commit("missingAuthor", "tree \(hex)\ncommitter \(person)\n\n"),
        commit("multipleAuthors", "tree \(hex)\nauthor \(person)\nauthor \(person)\ncommitter \(person)\n\n"),
        commit("missingCommitter", "tree \(hex)\nauthor \(person)\n\n"),
        commit("unterminatedHeader", "tree \(hex)\nauthor \(person)\ncommitter \(person)"),
        commit("nulInHeader", "tree \(hex)\nauthor A\0 <a> 1 +0000\ncommitter \(person)\n\n"),
        commit("nulInCommit", "tree \(hex)\nauthor \(person)\ncommitter \(person)\n\nx\0y\n"),
        author("missingNameBeforeEmail", "<ada@example.com> 1 +0000"), author("badName", "A> <a> 1 +0000"),
        author("missingEmail", "Ada"), author("missingSpaceBeforeEmail", "Ada<a> 1 +0000"),
        author("badEmail", "Ada <a<b> 1 +0000"),
        author("badEmail", "Ada <a"), author("missingSpaceBeforeDate", "Ada <a>1 +0000"),
        author("zeroPaddedDate", "Ada <a> 01 +0000"), author("badDate", "Ada <a> x +0000"),
        author("badDate", "Ada <a> 1"),
        author("badDateOverflow", "Ada <a> 18446744073709551617 +0000"), author("badTimezone", "Ada <a> 1 0000"),
        author("badTimezone", "Ada <a> 1 +000"), author("badTimezone", "Ada <a> 1 +0000 "),
        commit(nil, "tree \(hex)\nauthor \(person)\ncommitter \(person)\n\nHello\n"),
        commit(nil, "tree \(hex)\nauthor \(person)\ncommitter \(person)\n"),
        commit(
            nil,
            "tree \(hex)\nauthor \(person)\ncommitter \(person)\nencoding ISO-8859-1\ngpgsig -----BEGIN\n x\n -----END\n\nx"
        ),
        author(nil, " <a> 0 -1200"), author(nil, "A.B, \"C\" <> 1 +9999"),
    ]

    static let tags: [RuleCase] = [
        tag("missingObject", "type blob\n\n"), tag("badObjectSha1", "object 12\ntype blob\ntag x\n\n"),
        tag("missingTypeEntry", "object \(hex)\ntag x\n\n"), tag("badType", "object \(hex)\ntype blub\ntag x\n\n"),
        tag("missingTagEntry", "object \(hex)\ntype blob\ntagger \(person)\n\n"),
        tag("badTimezone", "object \(hex)\ntype blob\ntag x\ntagger Ada <a> 1 0\n\n"),
        tag(nil, "object \(hex)\ntype blob\ntag x\ntagger \(person)\n\nx\n"),
        tag(nil, "object \(hex)\ntype blob\ntag x\n\nx\n"),
    ]
}

@Suite("Git's rules for objects")
struct RuleTests {
    private static let cases = RuleCase.trees + RuleCase.commits + RuleCase.tags

    @Test("are held", arguments: cases)
    func rules(_ rule: RuleCase) throws {
        let made = try TestStore()
        let inspector = ObjectInspector(
            limits: ReceiveLimits(), existing: try made.store.objects(of: made.uid, packs: []))
        var broken: String?
        do {
            _ = try rule.bytes.withUnsafeBytes { try inspector.inspect(rule.type, $0) }
        } catch GitStoreError.refused(.brokenRule(_, _, let name, _)) {
            broken = name
        }
        #expect(broken == rule.rule)
    }

    @Test("are those that git holds")
    func gitAgrees() throws {
        let made = try TestStore()
        for rule in Self.cases {
            try made.git.run(["hash-object", "--literally", "-w", "-t", rule.type.name, "--stdin"], input: rule.bytes)
        }
        // What the objects name is missing, so git complains in any case; the question is of which rules.
        let lines = try made.git.verdict().split(separator: "\n")
        for rule in Self.cases {
            let oid = try ObjectHasher.name(of: rule.type, rule.bytes)
            let said = lines.filter { $0.contains(oid.hex) }
            // What git cannot read at all, or knows as another type from elsewhere, it does not hold to rules.
            let isUnreadable = said.contains { $0.contains("object could not be parsed") }
            if let name = rule.rule {
                #expect(
                    isUnreadable || said.contains { $0.contains(": \(name): ") }, "\(rule.testDescription): \(said)")
            } else {
                #expect(
                    !said.contains { $0.hasPrefix("error in \(rule.type.name)") }, "\(rule.testDescription): \(said)")
            }
        }
    }

    @Test(
        "hold for the content of .gitmodules",
        arguments: [
            ("[submodule \"a\"]\n\tpath = a\n\turl = https://example.com/a.git\n", nil),
            ("[submodule \"a\"]\n\turl = -x\n", "gitmodulesUrl"),
            ("[submodule \"a\"]\n\tpath = -x\n", "gitmodulesPath"),
            ("[submodule \"a\"]\n\tupdate = !rm\n", "gitmodulesUpdate"),
            ("[submodule \"../a\"]\n\turl = x\n", "gitmodulesName"),
            ("[submodule \"a/..\"]\n\turl = x\n", "gitmodulesName"),
            ("[submodule \"\"]\n\turl = x\n", "gitmodulesName"),
            ("[submodule \"a\\\\..\\\\b\"]\n\turl = x\n", "gitmodulesName"),
            ("[submodule \"a..b\"]\n\turl = ../x\n", nil),
            ("[submodule \"a\"]\n\turl = \"https://x/%0ahost\"\n", "gitmodulesUrl"),
            ("[submodule \"a\"]\n\turl = ./%0a\n", "gitmodulesUrl"),
            ("[submodule \"a\"]\n\turl = https:///x\n", "gitmodulesUrl"),
            ("[submodule \"a\"]\n\turl = ../../../:host/x\n", "gitmodulesUrl"),
            ("[submodule \"a\"]\n\turl = http::https://x/y\n", nil), ("[submodule \"a\"]\n\turl = git@x:y\n", nil),
            ("[submodule \"a\"] ; comment\n\turl = a \\\n b # c\n", nil), ("[other]\n\turl = -x\n", nil),
            ("not a config", nil),
        ] as [(String, String?)])
    func gitmodules(_ text: String, _ rule: String?) throws {
        try checkSpecial(".gitmodules", text, rule)
    }

    @Test(
        "hold for the content of .gitattributes",
        arguments: [
            ("* text\n", nil), (String(repeating: "a", count: 2047) + "\n", nil),
            ("*.bin filter=lfs\n" + String(repeating: "a", count: 2048) + "\n", "gitattributesLineLength"),
        ] as [(String, String?)])
    func gitattributes(_ text: String, _ rule: String?) throws {
        try checkSpecial(".gitattributes", text, rule)
    }

    /// Receives a commit with the file, with its blob in the pack and with its blob in the repository under another
    /// name.
    private func checkSpecial(_ name: String, _ text: String, _ rule: String?) throws {
        let made = try TestStore()
        var harmless = PackBuilder()
        let blob = try harmless.add(.blob, text)
        let other = try harmless.add(tree: [(0o100644, "harmless", blob)])
        let first = try made.push(harmless.bytes, tips: [other])
        for isStored in [false, true] {
            var builder = PackBuilder()
            if !isStored { try builder.add(.blob, text) }
            let tree = try builder.add(tree: [(0o100644, name, blob)])
            let commit = try builder.add(commitOf: tree)
            do {
                _ = try made.receive(builder.bytes, tips: [commit], onto: isStored ? [first] : [])
                #expect(rule == nil)
            } catch GitStoreError.refused(.brokenRule(let oid, _, let found, _)) {
                #expect(found == rule)
                #expect(oid == blob)
            }
            if !isStored {
                try made.git.run(["unpack-objects", "-q"], input: builder.bytes)
                try made.git("update-ref", "refs/heads/main", commit.hex)
                let verdict = try made.git.verdict()
                #expect(verdict.contains("error in blob") == (rule != nil), "git says: \(verdict)")
            }
        }
    }

    @Test(
        "find names that HFS+ and NTFS take for .git",
        arguments: [".git", ".GIT", ".gi\u{200e}t", "git~1", ".git \u{2e} :x"])
    func dotGit(_ name: String) {
        #expect(Array(name.utf8).withUnsafeBytes { DotGitNames.isDotGit($0) })
    }
}

extension GitCommand {
    /// All that git's strictest check prints, whether it succeeds or not.
    func verdict() throws -> String {
        let check = "!git fsck --strict --no-dangling 2>&1 || true"
        return String(decoding: try run(["-c", "alias.verdict=" + check, "verdict"]), as: UTF8.self)
    }
}
