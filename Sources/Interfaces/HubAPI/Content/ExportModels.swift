import HubCore

/// A line of an export's manifest: one of its members is set.
package struct ExportLine: APIModel {
    package struct Head: Codable, Sendable {
        package let repository: String
        /// `refs/heads/main`
        package let head: String
        /// Names the repository whatever it is called: 32 hex digits.
        package let uid: String
    }

    package struct Ref: Codable, Sendable {
        package let name: String
        package let oid: String
        @OrNull package var peeled: String? = nil

        package init(name: String, oid: String, peeled: String? = nil) {
            self.name = name
            self.oid = oid
            _peeled = OrNull(wrappedValue: peeled)
        }
    }

    package struct Pack: Codable, Sendable {
        package let id: String
        package let sizeBytes: Int64
        /// Its files without their endings, below the data directory.
        package let path: String
    }

    package struct LargeObject: Codable, Sendable {
        package let oid: String
        package let sizeBytes: Int64
        /// Below the data directory.
        package let path: String
    }

    @OrNull package var repository: Head? = nil
    @OrNull package var reference: Ref? = nil
    @OrNull package var pack: Pack? = nil
    @OrNull package var object: LargeObject? = nil

    init(repository: Head? = nil, reference: Ref? = nil, pack: Pack? = nil, object: LargeObject? = nil) {
        _repository = OrNull(wrappedValue: repository)
        _reference = OrNull(wrappedValue: reference)
        _pack = OrNull(wrappedValue: pack)
        _object = OrNull(wrappedValue: object)
    }

    package static var schema: Schema {
        .object(
            "ExportLine", "A line of an export's manifest; one member is set. The first line has `repository`.",
            [
                .required(
                    "repository",
                    .nullable(
                        .object(
                            "ExportHead", "",
                            [
                                .required("repository", .text, "`models/ada/bert`"),
                                .required("head", .text, "`refs/heads/main`"),
                                .required("uid", .text, "Names the repository whatever it is called."),
                            ])),
                    ""),
                .required(
                    "reference",
                    .nullable(
                        .object(
                            "ExportReference", "",
                            [
                                .required("name", .text, ""), .required("oid", .text, ""),
                                .required("peeled", .nullable(.text), "What an annotated tag finally names."),
                            ])), ""),
                .required(
                    "pack",
                    .nullable(
                        file("ExportPack", id: "id", "Its files without `.pack` and `.idx`, below the data directory.")),
                    ""),
                .required("object", .nullable(file("ExportObject", id: "oid", "Below the data directory.")), ""),
            ])
    }

    private static func file(_ name: String, id: String, _ path: String) -> Schema {
        .object(
            name, "", [.required(id, .text, ""), .required("size_bytes", .count, ""), .required("path", .text, path)])
    }
}
