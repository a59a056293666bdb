import BundleFormat
import Bundles
import HubCore
import MetadataStore

/// A line of an export's manifest: one of its members is set.
package struct ExportLine: APIModel {
    package struct Head: Codable, Sendable {
        package let repository: String
        /// `refs/heads/main`
        package let head: String
        /// Names the repository whatever it is called: 32 hex digits.
        package let uid: String
        /// `https://hub.example/models/ada/bert`
        @OrNull package var address: String? = nil
        @OrNull package var origin: Origin? = nil

        init(repository: String, head: String, uid: String, address: String?, origin: Origin?) {
            self.repository = repository
            self.head = head
            self.uid = uid
            _address = OrNull(wrappedValue: address)
            _origin = OrNull(wrappedValue: origin)
        }
    }

    /// Where an imported repository came from.
    package struct Origin: Codable, Sendable {
        /// Who signed the bundle.
        package let publisher: String
        /// What that said of where it had it from: `huggingface`, and so on.
        @OrNull package var kind: String? = nil
        @OrNull package var url: String? = nil
        @OrNull package var revision: String? = nil
        @OrNull package var fetched: String? = nil
        @OrNull package var etag: String? = nil
        package let isGated: Bool

        init(_ origin: RepositoryOrigin) {
            let upstream = OriginDescription(origin)
            publisher = origin.publisher
            _kind = OrNull(wrappedValue: upstream.upstream?.kind)
            _url = OrNull(wrappedValue: upstream.upstream?.url)
            _revision = OrNull(wrappedValue: upstream.upstream?.revision)
            _fetched = OrNull(wrappedValue: upstream.upstream?.fetched)
            _etag = OrNull(wrappedValue: upstream.upstream?.etag)
            isGated = upstream.isGated
        }

        static var schema: Schema {
            .object(
                "ExportOrigin", "Where an imported repository came from.",
                [
                    .required("publisher", .text, "Who signed the bundle that brought it."),
                    .required("kind", .nullable(.text), "Where that had it from: `huggingface`, `modelscope`, `hub` …"),
                    .required("url", .nullable(.text), ""), .required("revision", .nullable(.text), "The commit there."),
                    .required("fetched", .nullable(.text), ""), .required("etag", .nullable(.text), ""),
                    .required("is_gated", .boolean, "Access was restricted there."),
                ])
        }
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
                                .required("address", .nullable(.text), "Its page on this hub."),
                                .required("origin", .nullable(Origin.schema), "Of an imported repository."),
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
