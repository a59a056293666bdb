import HubCore
import Testing

@testable import Identity

@Suite("Signed texts")
struct TextSignerTests {
    private let signer = TextSigner(key: [UInt8](repeating: 7, count: TextSigner.keyBytes))

    @Test("HMAC-SHA256 is that of RFC 4231, case 2")
    func vector() {
        let mac = Digest.hmac(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(Hex.encode(mac) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test("come back in their parts")
    func parts() {
        #expect(signer.parts(of: signer.sign("1.read..9")) == ["1", "read", "", "9"])
    }

    @Test("are refused when another key signed them, a character changed, or they are too long")
    func refused() {
        let signed = signer.sign("1.read.9")
        let other = TextSigner(key: [UInt8](repeating: 8, count: TextSigner.keyBytes))
        #expect(other.parts(of: signed) == nil)
        for index in signed.indices {
            let changed = signed.replacingCharacters(at: index)
            #expect(signer.parts(of: changed) == nil, "\(changed)")
        }
        for text in ["", ".", "1.read.9", "1.read.9.", signer.sign(String(repeating: "1", count: 300))] {
            #expect(signer.parts(of: text) == nil, "\(text)")
        }
    }
}

extension String {
    fileprivate func replacingCharacters(at index: Index) -> String {
        String(self[..<index]) + (self[index] == "0" ? "1" : "0") + String(self[self.index(after: index)...])
    }
}
