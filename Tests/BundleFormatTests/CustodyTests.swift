import HubCore
import Testing

@testable import BundleFormat

@Suite("The custody of a bundle")
struct CustodyTests {
    private let manifest = BundleDigest.hash([1])
    private let statements: [CustodyStatement]

    init() throws {
        var statements: [CustodyStatement] = []
        for step in ["export", "seal", "scan"] {
            statements.append(
                try CustodyStatement.make(
                    .init(step: step, host: "desk", operator: "ada", tool: "csghub 1", time: "2026-11-24T10:00:00Z", note: "as it was"),
                    after: statements.last, manifest: manifest, key: .make(step == "seal" ? .p384 : .ed25519)))
        }
        self.statements = statements
    }

    private func documents(_ statements: [CustodyStatement]) -> [String: [UInt8]] {
        Dictionary(statements.map { ($0.path, $0.document) }) { first, _ in first }
    }

    private func chain(_ documents: [String: [UInt8]]) -> CustodyChain { CustodyChain(documents, manifest: manifest, isExpected: true) }

    @Test("is read as it was written, each statement naming the one before")
    func whole() throws {
        let read = chain(documents(statements).merging(["custody/notes.txt": [1], "trust/root.1.json": [2]]) { $1 })
        #expect(read.fault == nil && read.statements == statements)
        #expect(statements.map(\.fileName) == ["01-export.dsse.json", "02-seal.dsse.json", "03-scan.dsse.json"])
        #expect(statements[2].previous == DocumentDigest.sha256(statements[1].document) && statements[0].previous == nil)
        #expect(read.statements[1].facts.note == "as it was" && read.statements[1].facts.operator == "ada")
    }

    @Test("a statement that is missing, changed, twice, of another bundle or another chain is told, and those before it stay")
    func broken() throws {
        let (first, second, third) = (statements[0], statements[1], statements[2])
        #expect(chain([:]).fault?.contains("not on the medium") == true)
        #expect(CustodyChain([:], manifest: manifest, isExpected: false).fault == nil)
        let gap = chain(documents([first, third]))
        #expect(gap.statements == [first] && gap.fault?.contains("before 03-scan.dsse.json is missing") == true)
        // Every byte counts: of the key, of the words, of the signature.
        for place in stride(from: 0, to: second.document.count, by: 7) {
            var changed = documents(statements)
            changed[second.path]?[place] ^= 1
            let read = chain(changed)
            #expect(read.statements == [first] && read.fault != nil, "byte \(place)")
        }
        let other = try CustodyStatement.make(.init(step: "seal"), after: nil, manifest: BundleDigest.hash([2]), key: .make(.ed25519))
        #expect(chain(documents([other])).fault?.contains("another bundle") == true)
        let forged = try CustodyStatement.make(.init(step: "seal"), after: first, manifest: manifest, key: .make(.ed25519))
        #expect(chain(documents([first, forged, third])).fault?.contains("does not follow from 02-seal.dsse.json") == true)
        let twice = try CustodyStatement.make(.init(step: "move"), after: first, manifest: manifest, key: .make(.ed25519))
        #expect(chain(documents([first, second, twice])).fault?.contains("two statements of custody with the number 2") == true)
    }

    @Test("a statement counts only under its own name and in canonical JSON")
    func names() throws {
        let document = statements[1].document
        #expect(throws: SigningError.self) { try CustodyStatement(parsing: document, file: "03-seal.dsse.json") }
        #expect(throws: SigningError.self) { try CustodyStatement(parsing: document + [0x0A], file: "02-seal.dsse.json") }
        for name in ["1-seal.dsse.json", "02-.dsse.json", "02-Seal.dsse.json", "02-a/b.dsse.json", "aa-seal.dsse.json", "02-seal.json"] {
            #expect(!CustodyStatement.isFileName(name))
        }
        #expect(!CustodyStatement.isStep("-x") && !CustodyStatement.isStep("") && CustodyStatement.isStep("scan-2"))
    }

    @Test("media that have more of it, or none, agree with the others; media that differ do not")
    func media() throws {
        let (whole, short, none) = (chain(documents(statements)), chain(documents([statements[0]])), chain([:]))
        for media in [[whole, short], [short, whole, none], [none, whole]] {
            #expect(CustodyChain.joined(media).statements == statements && CustodyChain.joined(media).fault == nil)
        }
        let forged = try CustodyStatement.make(.init(step: "seal"), after: statements[0], manifest: manifest, key: .make(.ed25519))
        #expect(CustodyChain.joined([whole, chain(documents([statements[0], forged]))]).fault?.contains("different statements") == true)
        #expect(CustodyChain.joined([none, none]).fault != nil && CustodyChain.joined([]).fault == nil)
    }

    @Test("who signs a bundle states that it was made")
    func export() throws {
        let identity = try PublisherIdentity.make(publisher: "acme", key: .make(.ed25519), modelKey: nil)
        let manifest = BundleManifest(
            nonce: String(repeating: "0", count: 32), publisher: "acme", stream: "s", sequence: 1, created: "2026-11-24T10:00:00Z",
            kind: .full, repositories: [], volumes: [], media: [], objects: .init(count: 0, bytes: 0),
            custody: [.init(step: "export", host: "desk", operator: "ada")])
        let bytes = manifest.canonicalBytes
        let files = try identity.sign(manifest, bytes: bytes).files
        let documents = Dictionary(uniqueKeysWithValues: files.map { ($0.name, $0.bytes) })
        let read = CustodyChain(documents, manifest: BundleDigest.hash(bytes), isExpected: true)
        #expect(read.fault == nil && read.statements.map(\.fileName) == ["01-export.dsse.json"])
        #expect(read.statements[0].key == identity.keys[0].publicKey && read.statements[0].facts.host == "desk")
        #expect(read.statements[0].facts.tool?.hasPrefix("csghub ") == true)
    }
}
