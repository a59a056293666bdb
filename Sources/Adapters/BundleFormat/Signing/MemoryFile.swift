import COpenSSL

/// A BIO of libcrypto in memory, freed at its end.
struct MemoryFile: ~Copyable {
    let pointer: OpaquePointer

    /// An empty one to write to.
    init() throws(SigningError) {
        guard let pointer = BIO_new(BIO_s_mem()) else { throw .failed(operation: "BIO_new") }
        self.pointer = pointer
    }

    /// One to read from, with a copy of `bytes`.
    init(_ bytes: [UInt8]) throws(SigningError) {
        guard let pointer = BIO_new(BIO_s_mem()) else { throw .failed(operation: "BIO_new") }
        self.pointer = pointer
        // A failure leaves less to read, which is no key then.
        if !bytes.isEmpty { BIO_write(pointer, bytes, Int32(clamping: bytes.count)) }
    }

    deinit { BIO_free(pointer) }

    /// What was written, up to 64 KiB.
    func content() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = BIO_read(pointer, &bytes, Int32(bytes.count))
        return Array(bytes.prefix(Int(max(0, count))))
    }
}
