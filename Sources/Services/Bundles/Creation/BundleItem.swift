import BundleFormat
import HubCore

/// Something that goes into the volumes of a bundle, and the local file that has its bytes.
package struct BundleItem: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        case object(ObjectID)
        case gitBundle(uid: String, sha256: ObjectID)
        case attachment(uid: String, name: String)
        case list(String)
    }

    package var content: Content
    package var sizeBytes: Int64
    package var path: String
    /// The hashes of its segments, where they are known already; else empty.
    package var segments: [ObjectID]

    package init(content: Content, sizeBytes: Int64, path: String, segments: [ObjectID] = []) {
        self.content = content
        self.sizeBytes = sizeBytes
        self.path = path
        self.segments = segments
    }

    /// What it is named by, where it is cut in segments.
    var digest: ObjectID? {
        switch content {
        case .object(let oid): oid
        case .gitBundle(_, let sha256): sha256
        case .attachment, .list: nil
        }
    }

    /// The entries that carry it: large objects, and git bundles that no volume could take, are cut in segments.
    ///
    /// - Parameter limitBytes: what a volume may have, `nil` without a limit.
    func pieces(limitBytes: Int64?) -> [Piece] {
        switch content {
        case .object(let oid): return segments(of: oid)
        case .gitBundle(let uid, let sha256):
            if let limitBytes, VolumePacking.neededBytes(storedLength: sizeBytes) > limitBytes {
                return segments(of: sha256)
            }
            return [Piece(content: .gitBundle(uid: uid), length: sizeBytes, source: .file(path: path, offset: 0), known: sha256)]
        case .attachment(let uid, let name):
            return [Piece(content: .attachment(uid: uid, name: name), length: sizeBytes, source: .file(path: path, offset: 0), known: nil)]
        case .list(let name):
            return [Piece(content: .list(name), length: sizeBytes, source: .file(path: path, offset: 0), known: nil)]
        }
    }

    private func segments(of oid: ObjectID) -> [Piece] {
        stride(from: 0, to: sizeBytes, by: Int64.Stride(VolumeIndex.segmentBytes)).enumerated().map { n, offset in
            let length = min(VolumeIndex.segmentBytes, sizeBytes - offset)
            return Piece(
                content: .segment(of: oid, offset: offset), length: length, source: .file(path: path, offset: offset),
                // The hash of an object of one segment is its name.
                known: length == sizeBytes ? oid : n < segments.count ? segments[n] : nil)
        }
    }

    /// An entry that has not been looked at.
    struct Piece: Hashable, Sendable {
        var content: VolumeIndex.Content
        var length: Int64
        var source: EntrySource
        var known: ObjectID?
    }
}

extension BundleItem {
    var node: JSONNode {
        let kind: [JSONMember] =
            switch content {
            case .object(let oid): [JSONMember("object", .string(oid.hex))]
            case .gitBundle(let uid, let sha256): [JSONMember("git", .string(uid)), JSONMember("sha256", .string(sha256.hex))]
            case .attachment(let uid, let name): [JSONMember("meta", .string(uid)), JSONMember("name", .string(name))]
            case .list(let name): [JSONMember("list", .string(name))]
            }
        return .object(kind + [JSONMember("size", .integer(sizeBytes)), JSONMember("path", .string(path))]
                + (segments.isEmpty ? [] : [JSONMember("segments", .array(segments.map { .string($0.hex) }))]))
    }

    init?(_ node: JSONNode) {
        guard let size = node["size"]?.integer, let path = node["path"]?.string else { return nil }
        sizeBytes = size
        self.path = path
        segments = node["segments"]?.strings.compactMap { ObjectID(hex: $0) } ?? []
        if let oid = node["object"]?.string.flatMap({ ObjectID(hex: $0) }) {
            content = .object(oid)
        } else if let uid = node["git"]?.string, let sha256 = node["sha256"]?.string.flatMap({ ObjectID(hex: $0) }) {
            content = .gitBundle(uid: uid, sha256: sha256)
        } else if let uid = node["meta"]?.string, let name = node["name"]?.string {
            content = .attachment(uid: uid, name: name)
        } else if let name = node["list"]?.string {
            content = .list(name)
        } else {
            return nil
        }
    }
}
