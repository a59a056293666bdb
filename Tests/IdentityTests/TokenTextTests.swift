import Foundation
import Testing

@testable import Identity

@Suite("Token texts")
struct TokenTextTests {
    /// 100,000 with `CSGHUB_FULL_TESTS=1`.
    private static let rounds = ProcessInfo.processInfo.environment["CSGHUB_FULL_TESTS"] == "1" ? 100_000 : 3_000

    @Test("read back as they were made, all different")
    func roundTrip() {
        var seen: Set<String> = []
        for _ in 0..<min(Self.rounds, 20_000) {
            let token = TokenText()
            #expect(TokenText(parsing: token.text) == token && token.hash.count == 32)
            seen.insert(token.text)
        }
        #expect(seen.count == min(Self.rounds, 20_000))
    }

    @Test("keep their form: an example that must go on being read")
    func example() {
        let token = TokenText()
        #expect(token.text.utf8.count == 43 && token.text.hasPrefix("hub_"))
        #expect(TokenText.looksLikeOne("hub_x") && !TokenText.looksLikeOne("hf_x"))
    }

    @Test("a mutated text is mistyped, whatever the mutation")
    func mutations() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SplitMix(state: seed)
        for round in 0..<Self.rounds {
            let original = TokenText().text
            var bytes = Array(original.utf8)
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(UInt8.random(in: 0x20...0x7E, using: &generator), at: place)
            case 3: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &generator))
            case 4: bytes = Array(bytes.prefix(place))
            default: bytes += Array(repeating: 0x61, count: Int.random(in: 1...10_000, using: &generator))
            }
            let text = String(decoding: bytes, as: UTF8.self)
            guard text != original else { continue }
            #expect(TokenText(parsing: text) == nil, "seed \(seed) round \(round)")
        }
    }

    @Test(
        "random texts are not tokens",
        arguments: ["", "hub_", "hub", "HUB_" + String(repeating: "a", count: 39), "🧸", "hub_\u{0}"])
    func noise(_ text: String) { #expect(TokenText(parsing: text) == nil) }
}

/// A small generator whose seed is printed when a test fails.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
