import COpenSSL
import HubCore

/// A SHA-256 that is fed piece by piece. Used by one thread at a time.
package final class BundleDigest {
    private let context: OpaquePointer

    package init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            fatalError("OpenSSL has no SHA-256 or no memory")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        let code = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(code == 1, "SHA-256 takes any bytes")
    }

    /// The hash of what was fed; the digest takes no more afterwards.
    package func finish() -> ObjectID {
        var digest = [UInt8](repeating: 0, count: 32)
        let code = EVP_DigestFinal_ex(context, &digest, nil)
        precondition(code == 1, "SHA-256 has a result")
        return ObjectID(digest: digest)
    }

    package static func hash(_ bytes: [UInt8]) -> ObjectID {
        let digest = BundleDigest()
        bytes.withUnsafeBytes { digest.update($0) }
        return digest.finish()
    }
}
