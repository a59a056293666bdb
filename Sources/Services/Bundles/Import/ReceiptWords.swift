import BundleFormat
import FoundationEssentials
import HubCore
import MetadataStore

/// A receipt's short form: twelve words that a person reads to another, or types, where nothing is carried back.
///
/// The words are proquints (arXiv:0901.4016): five letters for 16 bits each, so no list is needed. Their 24 bytes are the version 1 and the
/// outcome in half a byte each, how many refs stayed as they were there (255: that or more), the bundle's id, the day of publication since
/// 2020-01-01, the number of repositories, six bytes of the id of the key that signed the receipt, and the CRC-32 of these 20 bytes. That
/// finds every single wrong word and every two neighbors that were swapped. It proves nothing: whoever knows the form can make the words up.
package struct ReceiptWords: Hashable, Sendable {
    package enum Outcome: UInt8, Hashable, Sendable {
        case published = 1
    }

    package static let count = 12

    package let outcome: Outcome
    package let bundle: BundleID
    package let keptRefs: Int
    /// Since 2020-01-01.
    package let day: Int
    package let repositories: Int
    /// The first twelve hex digits.
    package let keyID: String

    /// - Parameter receipt: the signed receipt.
    package init(receipt: [UInt8]) throws {
        let envelope = try DSSEEnvelope(parsing: receipt, file: "The receipt", maximumBytes: 64 << 20)
        let node = try CanonicalJSON.parse(envelope.payload, file: "The receipt", maximumBytes: 64 << 20)
        guard node["schema"]?.string == ImportReceipt.schema, node["result"]?.string == "published",
            let bundle = node["bundle"]?.string.flatMap({ BundleID(parsing: $0) }), let time = node["imported"]?.string,
            let signature = envelope.signatures.first
        else { throw ReceiptWordsError.noReceipt }
        let repos = node["repos"]?.elements ?? []
        outcome = .published
        self.bundle = bundle
        keptRefs = min(
            255, repos.flatMap { $0["refs"]?.elements ?? [] }.count { $0["result"]?.string == ImportReport.Ref.Outcome.keptLocal.rawValue })
        day = Int((try Date(time, strategy: .iso8601).timeIntervalSince(Self.firstDay) / 86_400).rounded(.down)).clamped(to: 0...65_535)
        repositories = min(65_535, repos.count)
        keyID = String(signature.keyID.prefix(12))
    }

    /// Reads what a person typed: capitals, dashes and commas do not matter.
    package init(parsing text: [String]) throws(ReceiptWordsError) {
        let words = text.flatMap { $0.lowercased().split { !$0.isLetter } }
        guard words.count == Self.count else { throw .wrongCount(words.count) }
        var bytes: [UInt8] = []
        for (index, word) in words.enumerated() {
            guard let value = Proquint.value(of: word) else { throw .noWord(number: index + 1, text: String(word)) }
            bytes += [UInt8(value >> 8), UInt8(value & 0xFF)]
        }
        let sum = CRC32.of(bytes.prefix(20))
        guard (0..<4).allSatisfy({ bytes[20 + $0] == UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt32($0))) }) else { throw .wrongSum }
        guard bytes[0] >> 4 == 1, let outcome = Outcome(rawValue: bytes[0] & 15),
            let bundle = BundleID(parsing: Hex.encode(Array(bytes[2..<10])))
        else { throw .unknownForm }
        self.outcome = outcome
        self.bundle = bundle
        keptRefs = Int(bytes[1])
        day = Int(bytes[10]) << 8 | Int(bytes[11])
        repositories = Int(bytes[12]) << 8 | Int(bytes[13])
        keyID = Hex.encode(Array(bytes[14..<20]))
    }

    package var words: [String] {
        var bytes: [UInt8] = [1 << 4 | outcome.rawValue, UInt8(keptRefs)]
        bytes += Hex.decode(bundle.text) ?? []
        bytes += [UInt8(day >> 8), UInt8(day & 0xFF), UInt8(repositories >> 8), UInt8(repositories & 0xFF)]
        bytes += Array(((Hex.decode(keyID) ?? []) + [UInt8](repeating: 0, count: 6)).prefix(6))
        let sum = CRC32.of(bytes[...])
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt32($0))) }
        return stride(from: 0, to: bytes.count, by: 2).map { Proquint.word(for: UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1])) }
    }

    /// `2026-11-24`
    package var date: String { String(UTCTime.text(Int64(Self.firstDay.timeIntervalSince1970) + Int64(day) * 86_400).prefix(10)) }

    /// 2020-01-01.
    private static let firstDay = Date(timeIntervalSince1970: 1_577_836_800)
}

package enum ReceiptWordsError: Error, Equatable {
    case noReceipt
    case wrongCount(Int)
    case noWord(number: Int, text: String)
    case wrongSum
    /// A later version made them.
    case unknownForm
}

extension ReceiptWordsError: Refusal {
    package var problem: Problem {
        switch self {
        case .noReceipt: Problem(.unprocessable, code: "no_receipt", "This is no signed receipt of an import.")
        case .wrongCount(let count):
            Problem(.unprocessable, code: "wrong_words", "A receipt has \(ReceiptWords.count) words, and these are \(count).")
        case .noWord(let number, let text):
            Problem(.unprocessable, code: "wrong_words", "Word \(number), “\(text.shortened)”, is none of a receipt; ask for it again.")
        case .wrongSum:
            Problem(
                .unprocessable, code: "wrong_words",
                "The words do not belong together: one is wrong, or two are swapped. Ask for them again.")
        case .unknownForm:
            Problem(.unsupported, code: "unknown_words", "The words are of a form that this version does not know; upgrade it first.")
        }
    }
}

/// Sixteen bits as a word of five letters that can be spoken: `lusab`.
private enum Proquint {
    private static let consonants = Array("bdfghjklmnprstvz")
    private static let vowels = Array("aiou")

    static func word(for value: UInt16) -> String {
        let bits = Int(value)
        return String([
            consonants[bits >> 12], vowels[bits >> 10 & 3], consonants[bits >> 6 & 15], vowels[bits >> 4 & 3], consonants[bits & 15],
        ])
    }

    static func value(of word: Substring) -> UInt16? {
        let letters = Array(word)
        guard letters.count == 5 else { return nil }
        var value = 0
        for (index, letter) in letters.enumerated() {
            let alphabet = index % 2 == 0 ? consonants : vowels
            guard let digit = alphabet.firstIndex(of: letter) else { return nil }
            value = value * alphabet.count + digit
        }
        return UInt16(value)
    }
}

/// The checksum of ISO 3309, as zip and Ethernet have it.
private enum CRC32 {
    static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return ~sum
    }
}

extension Comparable {
    fileprivate func clamped(to range: ClosedRange<Self>) -> Self { min(max(self, range.lowerBound), range.upperBound) }
}
