import COpenSSL
import HubCore

/// Seals small secrets for the database with a key that only this hub has, by AES-256-GCM.
///
/// Form: a byte 1, 12 random bytes, the sealed text, a tag of 16 bytes; ours. `context` names the place of the secret and is
/// checked with it, so that a sealed value works nowhere else.
package struct SecretBox: Sendable {
    package static let keyBytes = 32
    private static let version: UInt8 = 1
    private static let nonceBytes = 12
    private static let tagBytes = 16

    private let key: [UInt8]

    /// - Parameter key: 32 random bytes, kept in `secrets/`.
    package init(key: [UInt8]) {
        precondition(key.count == Self.keyBytes, "a key has 32 bytes")
        self.key = key
    }

    package func seal(_ text: [UInt8], context: String) throws -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        let nonce = (0..<Self.nonceBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let cipher = try Cipher(key: key, nonce: nonce, encrypts: true)
        let sealed = try cipher.run(text, context: Array(context.utf8))
        return [Self.version] + nonce + sealed + (try cipher.tag(Self.tagBytes))
    }

    /// - Throws: when the key is another one, or the value was changed or belongs elsewhere.
    package func open(_ sealed: [UInt8], context: String) throws -> [UInt8] {
        guard sealed.count >= 1 + Self.nonceBytes + Self.tagBytes, sealed[0] == Self.version else { throw SecretBoxError.unreadable }
        let nonce = Array(sealed[1..<1 + Self.nonceBytes])
        let cipher = try Cipher(key: key, nonce: nonce, encrypts: false)
        try cipher.expect(tag: Array(sealed.suffix(Self.tagBytes)))
        return try cipher.run(Array(sealed[(1 + Self.nonceBytes)..<(sealed.count - Self.tagBytes)]), context: Array(context.utf8))
    }
}

package enum SecretBoxError: Error {
    case unreadable
    case failed
}

/// One use of the cipher.
private final class Cipher {
    private let context: OpaquePointer

    init(key: [UInt8], nonce: [UInt8], encrypts: Bool) throws {
        guard let context = EVP_CIPHER_CTX_new() else { throw SecretBoxError.failed }
        self.context = context
        guard EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce, encrypts ? 1 : 0) == 1 else {
            throw SecretBoxError.failed
        }
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    func run(_ text: [UInt8], context additional: [UInt8]) throws -> [UInt8] {
        var count: Int32 = 0
        guard EVP_CipherUpdate(context, nil, &count, additional, Int32(additional.count)) == 1 else { throw SecretBoxError.failed }
        var output = [UInt8](repeating: 0, count: text.count)
        if !text.isEmpty {
            guard EVP_CipherUpdate(context, &output, &count, text, Int32(text.count)) == 1, Int(count) == text.count else {
                throw SecretBoxError.failed
            }
        }
        var rest = [UInt8](repeating: 0, count: 32)
        // The tag is checked here.
        guard EVP_CipherFinal_ex(context, &rest, &count) == 1, count == 0 else { throw SecretBoxError.unreadable }
        return output
    }

    func tag(_ byteCount: Int) throws -> [UInt8] {
        var tag = [UInt8](repeating: 0, count: byteCount)
        guard EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(byteCount), &tag) == 1 else { throw SecretBoxError.failed }
        return tag
    }

    func expect(tag: [UInt8]) throws {
        var tag = tag
        guard EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tag.count), &tag) == 1 else { throw SecretBoxError.failed }
    }
}
