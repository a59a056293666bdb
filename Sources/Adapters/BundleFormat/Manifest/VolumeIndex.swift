import HubCore

/// `INDEX.json`, the first entry of a volume: every other entry in its order, with the hash of what is stored.
///
/// Where an entry lies in the tar file follows from the sizes of those before it, so a volume needs no headers to be read and none
/// of them is believed.
package struct VolumeIndex: Hashable, Sendable {
    package static let schema = "hubbundle-index/1"
    package static let fileName = "INDEX.json"
    /// About 400,000 entries.
    package static let maximumBytes = 64 << 20
    /// A segment of a large object holds at most this many of its bytes.
    package static let segmentBytes: Int64 = 64 << 20

    package enum Encoding: String, Hashable, Sendable {
        case raw
        /// One LZ4 frame with independent blocks, content size and content checksum.
        case lz4
    }

    /// What an entry of a volume is.
    package enum Content: Hashable, Sendable {
        /// `seg/<sha256>/<offset>`: bytes of a large object from `offset` on.
        case segment(of: ObjectID, offset: Int64)
        /// `git/<uid>.bundle`.
        case gitBundle(uid: String)
        /// `meta/<uid>/<name>`.
        case attachment(uid: String, name: String)
        /// `meta/objects.bin` or `meta/requires.bin`.
        case list(String)

        package var name: String {
            switch self {
            case .segment(let object, let offset): "seg/\(object)/\(offset)"
            case .gitBundle(let uid): "git/\(uid).bundle"
            case .attachment(let uid, let name): "meta/\(uid)/\(name)"
            case .list(let name): "meta/\(name)"
            }
        }
    }

    package struct Entry: Hashable, Sendable {
        package var content: Content
        /// Bytes of the content, before compression.
        package var length: Int64
        /// Bytes in the volume.
        package var storedLength: Int64
        package var encoding: Encoding
        /// Of the stored bytes, checked before they are decompressed.
        package var sha256: ObjectID

        package init(content: Content, length: Int64, storedLength: Int64, encoding: Encoding, sha256: ObjectID) {
            self.content = content
            self.length = length
            self.storedLength = storedLength
            self.encoding = encoding
            self.sha256 = sha256
        }
    }

    package var volume: Int
    package var entries: [Entry]

    package init(volume: Int, entries: [Entry]) {
        self.volume = volume
        self.entries = entries
    }
}
