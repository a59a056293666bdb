import CDeflate
import COpenSSL
import HubCore

/// The CRC-32 that a pack index keeps of each entry's stored bytes.
enum CRC32 {
    @inline(__always)
    static func of(_ bytes: UnsafeRawBufferPointer, continuing crc: UInt32 = 0) -> UInt32 {
        // libdeflate takes a null pointer to ask for the initial value, whatever was passed.
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return crc }
        return libdeflate_crc32(crc, start, bytes.count)
    }
}

/// A running SHA-1 for the trailers of packs and indexes.
///
/// OpenSSL's is several times as fast as the collision-detecting one, which is needed only where the name of an object
/// depends on it: see `ObjectHasher`.
struct SHA1: ~Copyable {
    private let context: OpaquePointer

    init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha1(), nil) == 1 else {
            fatalError("OpenSSL has no SHA-1")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        let result = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(result == 1, "OpenSSL could not hash")
    }

    mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The digest; the value starts afresh.
    mutating func finish() -> GitOID {
        let oid = withUnsafeTemporaryAllocation(byteCount: Int(EVP_MAX_MD_SIZE), alignment: 8) { digest in
            let start = digest.baseAddress.map { $0.assumingMemoryBound(to: UInt8.self) }
            let result = EVP_DigestFinal_ex(context, start, nil)
            precondition(result == 1, "OpenSSL could not hash")
            return start.map { GitOID(bytes: $0) } ?? .zero
        }
        let result = EVP_DigestInit_ex(context, EVP_sha1(), nil)
        precondition(result == 1, "OpenSSL has no SHA-1")
        return oid
    }

    static func of(_ bytes: UnsafeRawBufferPointer) -> GitOID {
        var hash = SHA1()
        hash.update(bytes)
        return hash.finish()
    }
}
