import HubCore

/// The twin signature of a bundle for minisign: `minisign -Vm BUNDLE.json -p publisher.pub` (jedisct1/minisign, “Signature format”).
///
/// The prehashed form `ED`: Ed25519 over BLAKE2b-512 of the file, and a second signature over the first and the trusted comment. It is for
/// people; the hub itself decides by the DSSE envelope alone.
package enum MinisignSignature {
    package static let fileName = "BUNDLE.json.minisig"
    private static let commentBytes = 1000

    /// - Parameter comment: one line that the signature covers; shown by minisign.
    package static func make(of bytes: [UInt8], key: SigningKey, comment: String) throws(SigningError) -> [UInt8] {
        guard key.algorithm == .ed25519 else { throw .unsuitableKey(algorithm: key.algorithm, use: "with minisign") }
        let comment = String(decoding: comment.utf8.filter { $0 >= 0x20 }.prefix(commentBytes), as: UTF8.self)
        let signature = try key.sign(DocumentDigest.blake2b(bytes))
        let whole = try key.sign(signature + Array(comment.utf8))
        let line = Base64Text.encode(Array("ED".utf8) + number(of: key.publicKey) + signature)
        return Array(
            "untrusted comment: signature of a CSGHub bundle\n\(line)\ntrusted comment: \(comment)\n\(Base64Text.encode(whole))\n"
                .utf8)
    }

    /// The file that `minisign -p` takes.
    package static func publicKeyFile(_ key: SignerKey) throws(SigningError) -> [UInt8] {
        Array("untrusted comment: minisign public key of a CSGHub publisher\n\(try publicKeyText(key))\n".utf8)
    }

    /// What `minisign -P` takes.
    package static func publicKeyText(_ key: SignerKey) throws(SigningError) -> String {
        Base64Text.encode(Array("Ed".utf8) + number(of: key) + (try key.rawEd25519()))
    }

    package static func verifies(_ file: [UInt8], of bytes: [UInt8], key: SignerKey) -> Bool {
        guard file.count <= 8192, key.algorithm == .ed25519 else { return false }
        let lines = String(decoding: file, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let prefix = "trusted comment: "
        guard lines.count >= 4, lines[2].hasPrefix(prefix), let first = Base64Text.decode(String(lines[1])),
            first.count == 74,
            first.prefix(2).elementsEqual("ED".utf8), let whole = Base64Text.decode(String(lines[3]))
        else { return false }
        let signature = Array(first.suffix(64))
        return key.verifies(signature, of: DocumentDigest.blake2b(bytes))
            && key.verifies(whole, of: signature + Array(lines[2].dropFirst(prefix.count).utf8))
    }

    /// minisign's number of a key is eight bytes at random; ours follow from the key.
    private static func number(of key: SignerKey) -> [UInt8] {
        Array(DocumentDigest.sha256Bytes(key.publicKeyDER).prefix(8))
    }
}
