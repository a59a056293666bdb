import COpenSSL
import Glibc

/// The certificate of a signer, and those that lead to an authority.
enum SigningCertificate {
    private static let maximumCount = 16

    /// The key of a certificate that an authority vouches for, as the method `certificate` of model-signing checks it: at the time when the
    /// certificate began to hold, so that no clock decides, and only for use in signatures.
    ///
    /// - Parameters:
    ///   - chain: DER, the signer's own first.
    ///   - authorities: in PEM; nobody else is trusted.
    static func key(of chain: [[UInt8]], authorities: String, file: String) throws(SigningError) -> SignerKey {
        func invalid(_ reason: String) -> SigningError { .invalidSignatureFile(file: file, reason: reason) }
        guard (1...maximumCount).contains(chain.count) else { throw invalid("has no chain of at most \(maximumCount) certificates") }
        defer { ERR_clear_error() }
        guard let store = X509_STORE_new(), let context = X509_STORE_CTX_new(), let others = OPENSSL_sk_new_null() else {
            throw .failed(operation: "X509_STORE_new")
        }
        var certificates: [OpaquePointer] = []
        defer {
            for certificate in certificates { X509_free(certificate) }
            OPENSSL_sk_free(others)
            X509_STORE_CTX_free(context)
            X509_STORE_free(store)
        }
        try add(authorities, to: store)
        for bytes in chain {
            let certificate: OpaquePointer? = bytes.withUnsafeBufferPointer { buffer in
                var cursor = buffer.baseAddress
                return d2i_X509(nil, &cursor, buffer.count)
            }
            guard let certificate else { throw invalid("has a certificate that cannot be read") }
            certificates.append(certificate)
            if certificates.count > 1 { OPENSSL_sk_push(others, UnsafeRawPointer(certificate)) }
        }
        let leaf = certificates[0]
        var time = tm()
        guard ASN1_TIME_to_tm(X509_get0_notBefore(leaf), &time) == 1, X509_STORE_CTX_init(context, store, leaf, others) == 1 else {
            throw invalid("has a certificate that cannot be read")
        }
        X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), timegm(&time))
        guard X509_verify_cert(context) == 1 else {
            let reason = X509_verify_cert_error_string(Int(X509_STORE_CTX_get_error(context))).map { String(cString: $0) } ?? "no reason"
            throw invalid("was signed with a certificate that these authorities do not vouch for (\(reason))")
        }
        let flags = X509_get_extension_flags(leaf)
        let signs = flags & UInt32(EXFLAG_KUSAGE) != 0 && X509_get_key_usage(leaf) & UInt32(KU_DIGITAL_SIGNATURE) != 0
        let signsCode = flags & UInt32(EXFLAG_XKUSAGE) != 0 && X509_get_extended_key_usage(leaf) & UInt32(XKU_CODE_SIGN) != 0
        guard signs || signsCode else { throw invalid("was signed with a certificate that is not for signatures") }
        guard let key = X509_get_pubkey(leaf) else { throw invalid("has a certificate that cannot be read") }
        return try SignerKey(KeyHandle(key))
    }

    private static func add(_ authorities: String, to store: OpaquePointer) throws(SigningError) {
        let pem = try MemoryFile(Array(authorities.utf8))
        var count = 0
        while count < 1000, let certificate = PEM_read_bio_X509(pem.pointer, nil, PassphraseSource.refuse, nil) {
            defer { X509_free(certificate) }
            guard X509_STORE_add_cert(store, certificate) == 1 else { throw .failed(operation: "X509_STORE_add_cert") }
            count += 1
        }
        guard count > 0 else { throw .invalidKey(reason: "there is no certificate in PEM") }
    }
}
