/// What a key signs with.
package enum KeyAlgorithm: String, Hashable, Sendable, CaseIterable {
    /// RFC 8032; the one that bundles use unless told, and the only one that minisign knows.
    case ed25519
    /// ECDSA with SHA-256 (FIPS 186-5), as OpenSSF Model Signing has it; signatures are DER.
    case p256
    /// ECDSA with SHA-384; for sites that need keys of FIPS.
    case p384

    /// The one length of a DER SubjectPublicKeyInfo that is accepted: a curve by its name and an uncompressed point, so that no key
    /// has two spellings and counts twice.
    var publicKeyBytes: Int {
        switch self {
        case .ed25519: 44
        case .p256: 91
        case .p384: 120
        }
    }
}
