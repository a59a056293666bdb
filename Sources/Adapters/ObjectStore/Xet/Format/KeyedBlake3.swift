import CBlake3
import HubCore

/// Keyed BLAKE3, which all hashes of the Xet protocol are made with.
///
/// Source: *Xet specification, "Hashing"*.
///
/// Used by one thread at a time.
final class KeyedBlake3 {
    /// What a hash is for; each has its own key.
    enum Key {
        case chunk
        case node
        /// The hash of a file over the root of its chunks.
        case file
        /// The hash over the chunk hashes of a term of a file.
        case term
        /// A key that a shard names, to hide its chunk hashes.
        case other([UInt8])

        fileprivate var bytes: [UInt8] {
            switch self {
            case .chunk: Self.chunkKey
            case .node: Self.nodeKey
            case .file: [UInt8](repeating: 0, count: 32)
            case .term: Self.termKey
            case .other(let bytes): bytes
            }
        }

        private static let chunkKey: [UInt8] = [
            0x66, 0x97, 0xf5, 0x77, 0x5b, 0x95, 0x50, 0xde, 0x31, 0x35, 0xcb, 0xac, 0xa5, 0x97, 0x18, 0x1c,
            0x9d, 0xe4, 0x21, 0x10, 0x9b, 0xeb, 0x2b, 0x58, 0xb4, 0xd0, 0xb0, 0x4b, 0x93, 0xad, 0xf2, 0x29,
        ]
        private static let nodeKey: [UInt8] = [
            0x01, 0x7e, 0xc5, 0xc7, 0xa5, 0x47, 0x29, 0x96, 0xfd, 0x94, 0x66, 0x66, 0xb4, 0x8a, 0x02, 0xe6,
            0x5d, 0xdd, 0x53, 0x6f, 0x37, 0xc7, 0x6d, 0xd2, 0xf8, 0x63, 0x52, 0xe6, 0x4a, 0x53, 0x71, 0x3f,
        ]
        private static let termKey: [UInt8] = [
            0x7f, 0x18, 0x57, 0xd6, 0xce, 0x56, 0xed, 0x66, 0x12, 0x7f, 0xf9, 0x13, 0xe7, 0xa5, 0xc3, 0xf3,
            0xa4, 0xcd, 0x26, 0xd5, 0xb5, 0xdb, 0x49, 0xe6, 0x41, 0x24, 0x98, 0x7f, 0x28, 0xfb, 0x94, 0xc3,
        ]
    }

    private let state: UnsafeMutablePointer<blake3_hasher>

    init(_ key: Key) {
        let bytes = key.bytes
        precondition(bytes.count == 32, "a BLAKE3 key has 32 bytes")
        state = .allocate(capacity: 1)
        blake3_hasher_init_keyed(state, bytes)
    }

    deinit { state.deallocate() }

    func update(_ bytes: UnsafeRawBufferPointer) { blake3_hasher_update(state, bytes.baseAddress, bytes.count) }

    func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    func update(_ hash: XetHash) {
        withUnsafeTemporaryAllocation(byteCount: XetHash.byteCount, alignment: 8) { buffer in
            hash.write(to: buffer)
            update(UnsafeRawBufferPointer(buffer))
        }
    }

    /// The hash of what was fed since the last call; the next byte begins another one with the same key.
    func finish() -> XetHash {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: XetHash.byteCount) { buffer in
            guard let base = buffer.baseAddress else { return .zero }
            blake3_hasher_finalize(state, base, XetHash.byteCount)
            blake3_hasher_reset(state)
            return XetHash(bytes: base)
        }
    }

    /// The hash of some bytes; nothing else may have been fed.
    func hash(of bytes: UnsafeRawBufferPointer) -> XetHash {
        update(bytes)
        return finish()
    }

    static func hash(of hash: XetHash, key: Key) -> XetHash {
        let hasher = KeyedBlake3(key)
        hasher.update(hash)
        return hasher.finish()
    }
}
