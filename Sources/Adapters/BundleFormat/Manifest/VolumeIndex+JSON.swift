import HubCore

extension VolumeIndex {
    package var canonicalBytes: [UInt8] {
        CanonicalJSON.encode([
            "schema": .string(Self.schema), "volume": .integer(Int64(volume)), "entries": .array(entries.map(\.node)),
        ])
    }

    /// Reads an index whose hash is known to be right: a publisher may still lie in it.
    package init(parsing bytes: [UInt8]) throws(BundleError) {
        let node = try CanonicalJSON.parse(bytes, file: Self.fileName, maximumBytes: Self.maximumBytes)
        let fields = try DocumentFields(node, file: Self.fileName, place: "")
        let schema = try fields.text("schema")
        guard schema == Self.schema else { throw .unknownFormat(schema) }
        volume = Int(try fields.number("volume", in: 1...999_999))
        entries = try fields.objects("entries") { entry throws(BundleError) in try Entry(entry) }
        guard Set(entries.map(\.content)).count == entries.count else { throw fields.fault("entries", "names an entry twice") }
    }
}

extension VolumeIndex.Entry {
    var node: JSONNode {
        [
            "name": .string(content.name), "length": .integer(length), "stored_length": .integer(storedLength),
            "enc": .string(encoding.rawValue), "sha256": .string(sha256.hex),
        ]
    }

    init(_ fields: DocumentFields) throws(BundleError) {
        let name = try fields.text("name", maximumBytes: 256)
        guard let content = VolumeIndex.Content(parsing: name) else { throw fields.fault("name", "is not a name of the format") }
        self.content = content
        length = try fields.number("length")
        storedLength = try fields.number("stored_length")
        encoding = try fields.word("enc", VolumeIndex.Encoding.self)
        sha256 = try fields.digest("sha256")
        switch encoding {
        case .raw: guard storedLength == length else { throw fields.fault("stored_length", "differs from the length although nothing is compressed") }
        case .lz4: guard storedLength < length else { throw fields.fault("stored_length", "is not shorter than the length") }
        }
        switch content {
        case .segment(_, let offset):
            guard length > 0, length <= VolumeIndex.segmentBytes, offset.isMultiple(of: VolumeIndex.segmentBytes) else {
                throw fields.fault("length", "is not that of a segment")
            }
        case .gitBundle: guard encoding == .raw else { throw fields.fault("enc", "must be raw here") }
        case .attachment, .list: guard length <= 64 << 20 else { throw fields.fault("length", "exceeds 64 MiB") }
        }
    }
}

extension VolumeIndex.Content {
    /// Reads only the one spelling that `name` writes.
    package init?(parsing name: String) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        switch (parts.first, parts.count) {
        case ("seg", 3):
            guard let object = ObjectID(hex: parts[1]), let offset = Int64(parts[2]), offset >= 0 else { return nil }
            self = .segment(of: object, offset: offset)
        case ("git", 2):
            guard parts[1].hasSuffix(".bundle") else { return nil }
            let uid = String(parts[1].dropLast(".bundle".count))
            guard BundleRepository.isUID(uid) else { return nil }
            self = .gitBundle(uid: uid)
        case ("meta", 3):
            guard BundleRepository.isUID(String(parts[1])), BundleRepository.isAttachmentName(String(parts[2])) else { return nil }
            self = .attachment(uid: String(parts[1]), name: String(parts[2]))
        case ("meta", 2):
            guard parts[1] == "objects.bin" || parts[1] == "requires.bin" else { return nil }
            self = .list(String(parts[1]))
        default: return nil
        }
        guard self.name == name else { return nil }
    }
}
