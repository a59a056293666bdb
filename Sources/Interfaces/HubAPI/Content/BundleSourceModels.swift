import HubCore

/// Which part of a repository's history a git bundle is to hold.
package struct BundleSourceModel: APIModel {
    package struct Ref: Codable, Sendable {
        package let name: String
        package let oid: String

        package init(name: String, oid: String) {
            self.name = name
            self.oid = oid
        }
    }

    package let references: [Ref]
    package let haves: [String]

    package init(references: [Ref], haves: [String]) {
        self.references = references
        self.haves = haves
    }

    package static var schema: Schema {
        .object(
            "BundleSource", "Which part of a repository's history a git bundle is to hold.",
            [
                .required(
                    "references",
                    .array(
                        .object(
                            "BundleReference", "",
                            [
                                .required("name", .text(atMost: 1024), "`refs/heads/main`"),
                                .required("oid", .text(atMost: 40), "The object, as the export told it."),
                            ]), maximumCount: 100_000), "The refs to take."),
                .required(
                    "haves", .array(.text(atMost: 40), maximumCount: 100_000),
                    "Commits that the target has; the bundle presumes those of them that the repository has too."),
            ])
    }
}

/// A large object that files in a git bundle name.
package struct BundleObjectLine: APIModel {
    package let oid: String
    package let sizeBytes: Int64
    /// Whether the hub has its bytes for this repository.
    package let isStored: Bool
    /// Below the data directory. There may be no such file: an object that came in parts is only downloaded.
    package let path: String
    /// A file that has it.
    @OrNull package var file: String? = nil

    init(oid: String, sizeBytes: Int64, isStored: Bool, path: String, file: String?) {
        self.oid = oid
        self.sizeBytes = sizeBytes
        self.isStored = isStored
        self.path = path
        _file = OrNull(wrappedValue: file)
    }

    package static var schema: Schema {
        .object(
            "BundleObjectLine", "A large object that files in a git bundle name.",
            [
                .required("oid", .text, "Its SHA-256."), .required("size_bytes", .count, ""),
                .required("is_stored", .boolean, "Whether the hub has its bytes for this repository."),
                .required("path", .text, "Below the data directory; there may be no such file."),
                .required("file", .nullable(.text), "A file that has it."),
            ])
    }
}
