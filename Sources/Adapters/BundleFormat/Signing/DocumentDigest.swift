import COpenSSL
import HubCore

/// Hashes of documents that are held whole.
package enum DocumentDigest {
    package static func sha256(_ bytes: [UInt8]) -> ObjectID {
        ObjectID(digest: digest(bytes, EVP_sha256(), count: 32))
    }

    static func sha256Bytes(_ bytes: [UInt8]) -> [UInt8] { digest(bytes, EVP_sha256(), count: 32) }

    /// BLAKE2b with 64 bytes, which minisign signs.
    static func blake2b(_ bytes: [UInt8]) -> [UInt8] { digest(bytes, EVP_blake2b512(), count: 64) }

    private static func digest(_ bytes: [UInt8], _ algorithm: OpaquePointer?, count: Int) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: count)
        let code = EVP_Digest(bytes, bytes.count, &digest, nil, algorithm, nil)
        precondition(code == 1, "libcrypto has SHA-256 and BLAKE2b")
        return digest
    }
}
