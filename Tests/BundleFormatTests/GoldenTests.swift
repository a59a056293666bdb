import Foundation
import HubCore
import HubTestSupport
import Testing

@testable import BundleFormat

/// Bundles that an earlier version wrote. Where one of these fails the format has changed, and media that people keep are unreadable.
@Suite("The golden bundles")
struct GoldenTests {
    @Test("are read, and written again the manifests have the same bytes", arguments: [1, 2])
    func manifests(_ number: Int) throws {
        let golden = try GoldenBundle(number)
        #expect(golden.manifest.canonicalBytes == golden.location.manifestBytes)
        #expect(golden.manifest.sequence == Int64(number) && golden.manifest.kind == (number == 1 ? .full : .delta))
        #expect(golden.location.presentVolumes() == golden.manifest.volumes)
        let ids = ["ab5fb713af43059b", "aa6dc3bd1e1d94cf"]
        #expect(golden.location.id.text == ids[number - 1])
    }

    @Test("are trusted by who pinned the first list of keys, the second through its rotation")
    func trust() throws {
        let policy = try GoldenBundle.policy()
        for number in [1, 2] {
            let golden = try GoldenBundle(number)
            let signature = try BundleSignature.read(folder: golden.location.folder)
            let verdict = policy.judge(manifestBytes: golden.location.manifestBytes, signature: signature)
            let signers = try #require(verdict.signers, "\(verdict)")
            #expect(signers.root.version == number && signers.newRoots.count == number - 1)
            let twin = try golden.file(MinisignSignature.fileName)
            #expect(MinisignSignature.verifies(twin, of: golden.location.manifestBytes, key: signers.keys[0]))
        }
    }

    @Test("have in their volumes what the manifest lists, byte for byte", arguments: [1, 2])
    func volumes(_ number: Int) throws {
        let golden = try GoldenBundle(number)
        #expect(BundleDigest.hash(try golden.file("vol/000001.tar")) == golden.manifest.volumes[0].sha256)
        let reader = try golden.reader()
        try reader.checkEnd()
        var found: [String: ObjectID] = [:]
        for (n, entry) in reader.index.entries.enumerated() {
            let bytes = try reader.content(n)
            #expect(Int64(bytes.count) == entry.length)
            found[entry.content.name] = BundleDigest.hash(bytes)
        }
        var expected: [String: ObjectID] = [:]
        for repository in golden.manifest.repositories {
            for object in repository.objects where object.isInBundle { expected["seg/\(object.oid)/0"] = object.oid }
            if let bundle = repository.gitBundle { expected["git/\(repository.uid).bundle"] = bundle.sha256 }
            for file in repository.attachments { expected["meta/\(repository.uid)/\(file.name)"] = file.sha256 }
        }
        for (name, digest) in expected { #expect(found[name] == digest, "\(name)") }
        #expect(Set(found.keys).subtracting(expected.keys).allSatisfy { $0.hasPrefix("meta/") && $0.hasSuffix(".bin") })
        if number == 1 { #expect(Set(reader.index.entries.map(\.encoding)) == [.raw, .lz4]) }
    }

    @Test("carry a signature of the model by the key of its role")
    func model() throws {
        let golden = try GoldenBundle(1)
        let reader = try golden.reader()
        let n = try #require(reader.index.entries.firstIndex { $0.content.name.hasSuffix("/model.sig") })
        let key = try #require(try GoldenBundle.pinned().content.keys(of: .models).first)
        let content = try ModelSignature.verify(reader.content(n), key: key)
        #expect(content.resources.map(\.path).contains("notes/größe 大小.txt"))
    }

    @Test("are as the JSON Schema says, and so is whatever the tests make", arguments: [1, 2, 3])
    func schema(_ number: Int) throws {
        let schema = try ManifestSchema()
        let bytes = number == 3 ? try ManifestTests.everything().canonicalBytes : try GoldenBundle(number).location.manifestBytes
        #expect(try schema.complaints(about: bytes) == [])
    }

    @Test(
        "are not as the schema says once a member is taken away or has another form",
        arguments: [
            ("\"schema\":\"hubbundle/1\"", "\"schema\":\"hubbundle/2\""), ("\"sequence\":1,", "\"sequence\":0,"), ("\"sequence\":1,", ""),
            ("\"stream\":\"golden\"", "\"stream\":\"../golden\""), ("\"kind\":\"full\"", "\"kind\":\"some\""), ("\"gated\":false", "\"gated\":0"),
            ("\"in_bundle\":true,", ""), ("vol/000001.tar", "vol/1.tar"), ("\"type\":\"model\"", "\"type\":\"robot\""), ("\"size\":700", "\"size\":-1"),
        ])
    func otherSchema(from: String, to: String) throws {
        let text = String(decoding: try GoldenBundle(1).location.manifestBytes, as: UTF8.self)
        let changed = text.replacing(from, with: to)
        #expect(changed != text)
        #expect(try !ManifestSchema().complaints(about: Array(changed.utf8)).isEmpty)
    }
}

/// `offline-bundles/bundle.schema.json`, as far as it uses JSON Schema: a word that this does not know is an error, never left out.
struct ManifestSchema {
    private struct UnknownWord: Error { let word: String }

    private let schema: JSONNode

    init() throws {
        let file = URL(filePath: GoldenBundle.folder).deletingLastPathComponent().appending(path: "bundle.schema.json")
        schema = try JSONParser.parse(Array(try Data(contentsOf: file)))
    }

    /// What is wrong with a document, a line each.
    func complaints(about document: [UInt8]) throws -> [String] {
        var found: [String] = []
        try check(try JSONParser.parse(document), schema, "", &found)
        return found
    }

    private func check(_ value: JSONNode, _ schema: JSONNode, _ place: String, _ found: inout [String]) throws {
        for rule in schema.members ?? [] {
            let holds: Bool
            switch rule.name {
            case "$schema", "$id", "title", "description": holds = true
            case "type": holds = Self.type(of: value) == rule.value.string
            case "const": holds = value == rule.value
            case "enum": holds = rule.value.elements?.contains(value) == true
            case "pattern": holds = try value.string?.firstMatch(of: Regex(rule.value.string ?? "")) != nil
            case "maxLength": holds = value.string.map { Int64($0.unicodeScalars.count) <= rule.value.integer ?? 0 } ?? true
            case "minimum": holds = value.integer.map { $0 >= rule.value.integer ?? 0 } ?? true
            case "maximum": holds = value.integer.map { $0 <= rule.value.integer ?? 0 } ?? true
            case "maxItems": holds = value.elements.map { Int64($0.count) <= rule.value.integer ?? 0 } ?? true
            case "required": holds = rule.value.strings.allSatisfy { value[$0] != nil }
            case "properties":
                holds = true
                for member in value.members ?? [] {
                    guard let inner = rule.value[member.name] else { continue }
                    try check(member.value, inner, "\(place)/\(member.name)", &found)
                }
            case "items":
                holds = true
                for (n, element) in (value.elements ?? []).enumerated() { try check(element, rule.value, "\(place)/\(n)", &found) }
            default: throw UnknownWord(word: rule.name)
            }
            if !holds { found.append("\(place): \(rule.name)") }
        }
    }

    private static func type(of value: JSONNode) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number, .raw: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
