import COpenSSL
import HubCore

/// A private key.
package struct SigningKey: Sendable {
    /// A PEM of a private key is at most this long.
    package static let maximumBytes = 16 << 10

    private let handle: KeyHandle
    package let publicKey: SignerKey

    private init(_ handle: KeyHandle) throws(SigningError) {
        self.handle = handle
        publicKey = try SignerKey(handle)
    }

    /// Makes a key from the system's random source.
    package static func make(_ algorithm: KeyAlgorithm) throws(SigningError) -> SigningKey {
        try SigningKey(KeyHandle.make(algorithm))
    }

    /// Reads PKCS #8 or the older form of EC keys.
    /// - Parameter passphrase: `nil` when there is none; then a sealed key throws `.passphraseNeeded`.
    package init(pem: String, passphrase: String? = nil) throws(SigningError) {
        guard pem.utf8.count <= Self.maximumBytes else { throw .invalidKey(reason: "it is too long") }
        let file = try MemoryFile(Array(pem.utf8))
        let source = PassphraseSource(passphrase)
        defer { ERR_clear_error() }
        let pointer = withExtendedLifetime(source) {
            PEM_read_bio_PrivateKey(
                file.pointer, nil, PassphraseSource.answer, Unmanaged.passUnretained(source).toOpaque())
        }
        guard let pointer else {
            if source.wasAsked { throw passphrase == nil ? .passphraseNeeded : .wrongPassphrase }
            throw .invalidKey(reason: "it is no private key in PEM")
        }
        try self.init(KeyHandle(pointer))
    }

    package var algorithm: KeyAlgorithm { publicKey.algorithm }

    package func sign(_ message: [UInt8]) throws(SigningError) -> [UInt8] { try handle.sign(message, algorithm) }

    /// PKCS #8 in PEM; with a passphrase sealed by AES-256, as “openssl pkcs8 -topk8” seals it.
    package func pem(passphrase: String? = nil) throws(SigningError) -> String {
        let file = try MemoryFile()
        guard let passphrase else {
            guard PEM_write_bio_PKCS8PrivateKey(file.pointer, handle.pointer, nil, nil, 0, PassphraseSource.refuse, nil) == 1 else {
                throw .failed(operation: "PEM_write_bio_PKCS8PrivateKey")
            }
            return String(decoding: file.content(), as: UTF8.self)
        }
        let secret = passphrase.utf8.map { CChar(bitPattern: $0) }
        // Without a callback: where there is one it is asked in spite of the passphrase.
        let code = PEM_write_bio_PKCS8PrivateKey(
            file.pointer, handle.pointer, EVP_aes_256_cbc(), secret, Int32(secret.count), nil, nil)
        guard code == 1 else { throw .failed(operation: "PEM_write_bio_PKCS8PrivateKey") }
        return String(decoding: file.content(), as: UTF8.self)
    }
}

/// Answers libcrypto's question for a passphrase, so that it never asks the terminal itself.
final class PassphraseSource {
    private let passphrase: [UInt8]?
    private(set) var wasAsked = false

    init(_ passphrase: String?) { self.passphrase = passphrase.map { Array($0.utf8) } }

    private func fill(_ buffer: UnsafeMutablePointer<CChar>, size: Int32) -> Int32 {
        wasAsked = true
        guard let passphrase, passphrase.count <= Int(size) else { return -1 }
        for (index, byte) in passphrase.enumerated() { buffer[index] = CChar(bitPattern: byte) }
        return Int32(passphrase.count)
    }

    static let answer: @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 =
        {
            buffer, size, _, source in
            guard let buffer, let source else { return -1 }
            return Unmanaged<PassphraseSource>.fromOpaque(source).takeUnretainedValue().fill(buffer, size: size)
        }

    static let refuse: @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 =
        { _, _, _, _ in -1 }
}
