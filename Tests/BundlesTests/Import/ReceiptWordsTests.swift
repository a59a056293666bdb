import BundleFormat
import HubCore
import Testing

@testable import Bundles

@Suite("The words of a receipt")
struct ReceiptWordsTests {
    private func receipt(kept: Int = 1) throws -> [UInt8] {
        let refs: [JSONNode] = (0..<3).map { ["result": .string($0 < kept ? "kept_local" : "created")] }
        let payload = CanonicalJSON.encode([
            "schema": "hubbundle-receipt/1", "bundle": "0123456789abcdef", "result": "published", "imported": "2026-11-24T23:59:59Z",
            "repos": .array([["refs": .array(refs)], ["refs": .array([])]]),
        ])
        return try DSSEEnvelope(payloadType: "application/vnd.csghub.import-receipt+json", payload: payload).signed(with: .make(.ed25519)).bytes
    }

    @Test("say which bundle was published, when, how much of it and by whom")
    func roundTrip() throws {
        let bytes = try receipt()
        let words = try ReceiptWords(receipt: bytes)
        #expect(words.words.count == 12 && words.words.allSatisfy { $0.utf8.count == 5 })
        let read = try ReceiptWords(parsing: [words.words.joined(separator: "-").uppercased()])
        #expect(read == words)
        #expect(read.bundle.text == "0123456789abcdef" && read.keptRefs == 1 && read.repositories == 2 && read.date == "2026-11-24")
        #expect(try DSSEEnvelope(parsing: bytes, file: "r").signatures[0].keyID.hasPrefix(read.keyID))
    }

    @Test("are proquints as their paper has them")
    func form() throws {
        // The version and outcome, then no ref kept: 0x1100; then the bundle's id, 0x0123 and so on.
        #expect(try ReceiptWords(receipt: receipt(kept: 0)).words.prefix(2) == ["dahab", "bahog"])
    }

    @Test("any one wrong word is found, and any two neighbors that were swapped")
    func wrongWord() throws {
        let words = try ReceiptWords(receipt: receipt()).words
        for index in words.indices {
            for other in ["babab", "zuzuz", "lusab", words[(index + 5) % 12]] where other != words[index] {
                var wrong = words
                wrong[index] = other
                #expect(throws: ReceiptWordsError.wrongSum) { try ReceiptWords(parsing: wrong) }
            }
            guard index > 0, words[index] != words[index - 1] else { continue }
            var swapped = words
            swapped.swapAt(index, index - 1)
            #expect(throws: ReceiptWordsError.wrongSum) { try ReceiptWords(parsing: swapped) }
        }
    }

    @Test("what is no word, and another number of them, is told")
    func noWord() throws {
        var words = try ReceiptWords(receipt: receipt()).words
        words[3] = "hello"
        #expect(throws: ReceiptWordsError.noWord(number: 4, text: "hello")) { try ReceiptWords(parsing: words) }
        #expect(throws: ReceiptWordsError.wrongCount(11)) { try ReceiptWords(parsing: Array(words.dropLast())) }
        #expect(throws: (any Error).self) { try ReceiptWords(receipt: Array("{}".utf8)) }
    }
}
