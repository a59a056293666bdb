/// The stand-in of a large object in git: `version https://git-lfs.github.com/spec/v1`, `oid sha256:<hex>`, `size <bytes>`.
///
/// Source: git-lfs `docs/spec.md`. A pointer is shorter than 1,024 bytes; lines end in `\n`; `version` comes first, other keys are
/// sorted and may be unknown.
package struct LFSPointer: Hashable, Sendable {
    package static let maximumByteCount = 1023
    private static let versionLine = Array("version https://git-lfs.github.com/spec/v1".utf8)

    package let oid: ObjectID
    package let sizeBytes: Int64

    package init(oid: ObjectID, sizeBytes: Int64) {
        self.oid = oid
        self.sizeBytes = sizeBytes
    }

    /// Reads a blob; `nil` when it is not a pointer.
    package init?(parsing blob: UnsafeRawBufferPointer) {
        guard blob.count <= Self.maximumByteCount, blob.count > Self.versionLine.count, blob.starts(with: Self.versionLine) else {
            return nil
        }
        var oid: ObjectID?
        var size: Int64?
        for line in blob.split(separator: UInt8(ascii: "\n")).dropFirst() {
            let text = String(decoding: line, as: UTF8.self)
            if text.hasPrefix("oid sha256:"), oid == nil {
                oid = ObjectID(hex: text.dropFirst(11))
            } else if text.hasPrefix("size "), size == nil {
                let digits = text.dropFirst(5)
                guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
                size = Int64(digits)
            }
        }
        guard let oid, let size else { return nil }
        self.init(oid: oid, sizeBytes: size)
    }

    package init?(parsing blob: [UInt8]) {
        guard let pointer = blob.withUnsafeBytes({ LFSPointer(parsing: $0) }) else { return nil }
        self = pointer
    }

    /// The pointer file, as `git lfs clean` writes it.
    package var text: String { "version https://git-lfs.github.com/spec/v1\noid sha256:\(oid)\nsize \(sizeBytes)\n" }
}
