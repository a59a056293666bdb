import COpenSSL
import HubCore
import NIOCore

/// A SHA-256 that is fed piece by piece, by OpenSSL, which uses the processor's own instructions.
///
/// Unchecked: it moves from one job to the next, and its owner awaits each job before it starts another.
package final class SHA256Digest: @unchecked Sendable {
    private let context: OpaquePointer

    package init() throws {
        guard let context = EVP_MD_CTX_new() else { throw FileFault(operation: "EVP_MD_CTX_new", code: 0) }
        self.context = context
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            throw FileFault(operation: "EVP_DigestInit", code: 0)
        }
    }

    private init(copying other: OpaquePointer) throws {
        guard let context = EVP_MD_CTX_new() else { throw FileFault(operation: "EVP_MD_CTX_new", code: 0) }
        self.context = context
        guard EVP_MD_CTX_copy_ex(context, other) == 1 else { throw FileFault(operation: "EVP_MD_CTX_copy", code: 0) }
    }

    deinit { EVP_MD_CTX_free(context) }

    /// A second digest that has been fed the same bytes.
    func copy() throws -> SHA256Digest { try SHA256Digest(copying: context) }

    package func update(_ bytes: UnsafeRawBufferPointer) throws {
        guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
            throw FileFault(operation: "EVP_DigestUpdate", code: 0)
        }
    }

    /// The hash of what was fed; the digest takes no more afterwards.
    package func finish() throws -> ObjectID {
        var digest = [UInt8](repeating: 0, count: 32)
        guard EVP_DigestFinal_ex(context, &digest, nil) == 1 else { throw FileFault(operation: "EVP_DigestFinal", code: 0) }
        return ObjectID(digest: digest)
    }
}
