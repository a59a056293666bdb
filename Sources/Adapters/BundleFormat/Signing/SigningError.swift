import HubCore

/// Why a key or a signature cannot be used.
package enum SigningError: Error, Equatable {
    /// The text is no key, or one that the format does not use.
    case invalidKey(reason: String)
    /// The key is sealed and nobody gave its passphrase.
    case passphraseNeeded
    case wrongPassphrase
    /// A document that carries signatures is not what its format says.
    case invalidSignatureFile(file: String, reason: String)
    /// The key does not fit this kind of signature.
    case unsuitableKey(algorithm: KeyAlgorithm, use: String)
    /// libcrypto failed where it should not.
    case failed(operation: String)
}

extension SigningError: Refusal {
    package var problem: Problem {
        switch self {
        case .invalidKey(let reason):
            Problem(
                .invalid, code: "invalid_key",
                "This is not a key that signs bundles: \(reason). Use Ed25519, P-256 or P-384 in PEM, as “openssl genpkey” writes it."
            )
        case .passphraseNeeded:
            Problem(
                .invalid, code: "passphrase_needed",
                "The key has a passphrase; run the command at a terminal, which asks for it.")
        case .wrongPassphrase: Problem(.forbidden, code: "wrong_passphrase", "The passphrase does not open the key.")
        case .invalidSignatureFile(let file, let reason):
            Problem(.forbidden, code: "invalid_signature", "\(file) cannot be trusted: it \(reason).")
        case .unsuitableKey(let algorithm, let use):
            Problem(.invalid, code: "unsuitable_key", "A key of the kind \(algorithm.rawValue) cannot sign \(use).")
        case .failed(let operation):
            Problem(.unavailable, code: "signing_failed", "The cryptographic library failed (\(operation)).")
        }
    }
}
