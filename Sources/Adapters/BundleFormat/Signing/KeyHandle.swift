import COpenSSL

/// A key of libcrypto, freed at its end.
///
/// Unchecked: an EVP_PKEY is only read after it is made, and libcrypto counts its references atomically.
final class KeyHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }
    deinit { EVP_PKEY_free(pointer) }

    /// What the key signs with, `nil` for keys that the format does not use.
    var algorithm: KeyAlgorithm? {
        switch EVP_PKEY_get_base_id(pointer) {
        case EVP_PKEY_ED25519: return .ed25519
        case EVP_PKEY_EC:
            var name = [CChar](repeating: 0, count: 80)
            var count = 0
            guard EVP_PKEY_get_group_name(pointer, &name, name.count, &count) == 1 else { return nil }
            switch String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) {
            case "prime256v1", "P-256": return .p256
            case "secp384r1", "P-384": return .p384
            default: return nil
            }
        default: return nil
        }
    }

    static func make(_ algorithm: KeyAlgorithm) throws(SigningError) -> KeyHandle {
        let kind = algorithm == .ed25519 ? EVP_PKEY_ED25519 : EVP_PKEY_EC
        guard let context = EVP_PKEY_CTX_new_id(kind, nil) else { throw .failed(operation: "EVP_PKEY_CTX_new") }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_keygen_init(context) == 1 else { throw .failed(operation: "EVP_PKEY_keygen_init") }
        switch algorithm {
        case .ed25519: break
        case .p256, .p384:
            let curve = algorithm == .p256 ? NID_X9_62_prime256v1 : NID_secp384r1
            guard EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, curve) == 1 else { throw .failed(operation: "curve") }
        }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen(context, &key) == 1, let key else { throw .failed(operation: "EVP_PKEY_keygen") }
        return KeyHandle(key)
    }

    /// DER SubjectPublicKeyInfo.
    func publicDER() throws(SigningError) -> [UInt8] {
        let count = i2d_PUBKEY(pointer, nil)
        guard count > 0 else { throw .failed(operation: "i2d_PUBKEY") }
        var bytes = [UInt8](repeating: 0, count: Int(count))
        let written = bytes.withUnsafeMutableBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return i2d_PUBKEY(pointer, &cursor)
        }
        guard written == count else { throw .failed(operation: "i2d_PUBKEY") }
        return bytes
    }

    /// The 32 bytes of an Ed25519 public key.
    func rawPublicKey() throws(SigningError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        var count = bytes.count
        guard EVP_PKEY_get_raw_public_key(pointer, &bytes, &count) == 1, count == 32 else {
            throw .failed(operation: "raw key")
        }
        return bytes
    }

    func sign(_ message: [UInt8], _ algorithm: KeyAlgorithm) throws(SigningError) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw .failed(operation: "EVP_MD_CTX_new") }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestSignInit(context, nil, algorithm.digest, nil, pointer) == 1 else {
            throw .failed(operation: "EVP_DigestSignInit")
        }
        var count = 0
        guard EVP_DigestSign(context, nil, &count, message, message.count) == 1 else {
            throw .failed(operation: "EVP_DigestSign")
        }
        var signature = [UInt8](repeating: 0, count: count)
        guard EVP_DigestSign(context, &signature, &count, message, message.count) == 1 else {
            throw .failed(operation: "EVP_DigestSign")
        }
        return Array(signature.prefix(count))
    }

    func verifies(_ signature: [UInt8], of message: [UInt8], _ algorithm: KeyAlgorithm) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            // A signature that is not one leaves its reason on this thread.
            ERR_clear_error()
        }
        guard EVP_DigestVerifyInit(context, nil, algorithm.digest, nil, pointer) == 1 else { return false }
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }
}

extension KeyAlgorithm {
    /// Ed25519 hashes by itself.
    fileprivate var digest: OpaquePointer? {
        switch self {
        case .ed25519: nil
        case .p256: EVP_sha256()
        case .p384: EVP_sha384()
        }
    }
}
