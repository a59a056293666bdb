import COpenSSL
import HubCore

/// The public key of a signer.
package struct SignerKey: Sendable {
    /// A PEM of a public key is at most this long.
    static let maximumBytes = 4096

    package let algorithm: KeyAlgorithm
    /// SubjectPublicKeyInfo as `openssl pkey -pubout` writes it.
    package let publicKeyPEM: String
    /// DER SubjectPublicKeyInfo.
    package let publicKeyDER: [UInt8]
    /// SHA-256 of the DER form in 64 hex digits. Anyone can compute it:
    /// `openssl pkey -pubin -in KEY -outform DER | sha256sum`.
    package let keyID: String
    private let handle: KeyHandle

    init(_ handle: KeyHandle) throws(SigningError) {
        guard let algorithm = handle.algorithm else { throw .invalidKey(reason: "its kind is another") }
        let der = try handle.publicDER()
        guard der.count == algorithm.publicKeyBytes else {
            throw .invalidKey(reason: "its public half is not in the usual form")
        }
        let pem = try MemoryFile()
        guard PEM_write_bio_PUBKEY(pem.pointer, handle.pointer) == 1 else {
            throw .failed(operation: "PEM_write_bio_PUBKEY")
        }
        self.algorithm = algorithm
        publicKeyDER = der
        publicKeyPEM = String(decoding: pem.content(), as: UTF8.self)
        keyID = DocumentDigest.sha256(der).hex
        self.handle = handle
    }

    /// Reads a public key in PEM.
    package init(pem: String) throws(SigningError) {
        guard pem.utf8.count <= Self.maximumBytes else { throw .invalidKey(reason: "it is too long") }
        let file = try MemoryFile(Array(pem.utf8))
        defer { ERR_clear_error() }
        guard let pointer = PEM_read_bio_PUBKEY(file.pointer, nil, PassphraseSource.refuse, nil) else {
            throw .invalidKey(reason: "it is no public key in PEM")
        }
        try self.init(KeyHandle(pointer))
    }

    /// Reads a public key in DER.
    package init(der: [UInt8]) throws(SigningError) {
        defer { ERR_clear_error() }
        let pointer: OpaquePointer? = der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return d2i_PUBKEY(nil, &cursor, buffer.count)
        }
        guard let pointer else { throw .invalidKey(reason: "it is no public key in DER") }
        try self.init(KeyHandle(pointer))
    }

    /// For people, to compare with what they have on paper: `3b1f 09aa …`, 16 groups.
    package var fingerprint: String { Fingerprint.text(keyID) }

    /// The raw 32 bytes of an Ed25519 key.
    func rawEd25519() throws(SigningError) -> [UInt8] {
        guard algorithm == .ed25519 else { throw .unsuitableKey(algorithm: algorithm, use: "with minisign") }
        return try handle.rawPublicKey()
    }

    package func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        handle.verifies(signature, of: message, algorithm)
    }
}

extension SignerKey: Hashable {
    package static func == (left: SignerKey, right: SignerKey) -> Bool { left.publicKeyDER == right.publicKeyDER }
    package func hash(into hasher: inout Hasher) { hasher.combine(keyID) }
}

/// A SHA-256 as people compare it.
package enum Fingerprint {
    /// Sixteen groups of four digits.
    package static func text(_ hex: String) -> String {
        var groups: [Substring] = []
        var rest = hex[...]
        while !rest.isEmpty {
            groups.append(rest.prefix(4))
            rest = rest.dropFirst(4)
        }
        return groups.joined(separator: " ")
    }

    /// The 64 hex digits of what a person typed, with or without spaces, colons, dashes and capitals; `nil` when there are not 64.
    package static func parse(_ text: String) -> String? {
        var hex = ""
        for byte in text.lowercased().utf8 {
            if Hex.value(of: byte) != nil {
                hex.unicodeScalars.append(UnicodeScalar(byte))
            } else if !" :-\t".utf8.contains(byte) {
                return nil
            }
        }
        return hex.utf8.count == 64 ? hex : nil
    }
}
