import Bundles
import FoundationEssentials
import HubCore
import MetadataStore

/// What to import, and how.
package struct ImportOrderModel: APIModel {
    package var paths: [String]?
    package var bundles: [String]?
    package var map: [String: String]?
    package var visibility: Visibility?
    package var olderReason: String?
    package var acceptedLicenses: [String]?

    package init(
        paths: [String]? = nil, bundles: [String]? = nil, map: [String: String]? = nil, visibility: Visibility? = nil,
        olderReason: String? = nil, acceptedLicenses: [String]? = nil
    ) {
        self.paths = paths
        self.bundles = bundles
        self.map = map
        self.visibility = visibility
        self.olderReason = olderReason
        self.acceptedLicenses = acceptedLicenses
    }

    package static var schema: Schema {
        .object(
            "ImportOrder", "What to import, and how.",
            [
                .optional(
                    "paths", .nullable(.array(.text(atMost: 4096), maximumCount: 1000)),
                    "Mounted media, or folders of bundles, as the hub's machine sees them. By network they must lie below an import "
                        + "directory; all of those unless told."),
                .optional(
                    "bundles", .nullable(.array(.text(atMost: 16), maximumCount: 1000)),
                    "Only these; all that are found unless told."),
                .optional("map", .nullable(.map(.text(atMost: 96))), "Names of the bundle that get another name here."),
                .optional(
                    "visibility", .nullable(.words(of: Visibility.self)), "Of new repositories; `internal` unless told, or as before for an import that goes on."
                ),
                .optional(
                    "older_reason", .nullable(.text(atMost: 500)),
                    "Why a bundle is wanted that is older than the last one of its stream; without it that is refused."),
                .optional(
                    "accepted_licenses", .nullable(.array(.text(atMost: 200), maximumCount: 200)),
                    "Licenses that the setting `import-licenses` asks about and that are accepted for this import; `ALL` for any."),
            ])
    }
}

package struct ImportModel: APIModel {
    package let bundle: String
    package let publisher: String
    package let stream: String
    package let sequence: Int64
    package let state: ImportState
    @OrNull package var code: String? = nil
    @OrNull package var reason: String? = nil
    /// Of a run under way.
    @OrNull package var progress: ImportEventModel? = nil
    @OrNull package var report: ImportReportModel? = nil
    package let hasReceipt: Bool
    package let hasRequest: Bool
    package let actor: String
    package let createdAt: Date
    package let updatedAt: Date
    @OrNull package var publishedAt: Date? = nil

    init(_ record: ImportRecord, progress: ImportProgress? = nil) {
        bundle = record.bundle
        publisher = record.publisher
        stream = record.stream
        sequence = record.sequence
        state = record.state
        _code = OrNull(wrappedValue: record.reasonCode)
        _reason = OrNull(wrappedValue: record.reason)
        _progress = OrNull(wrappedValue: progress.map { ImportEventModel($0) })
        _report = OrNull(wrappedValue: record.report.map(ImportReportModel.init))
        hasReceipt = record.receipt != nil
        hasRequest = record.state == .parked
        actor = record.actor
        createdAt = record.createdAt
        updatedAt = record.updatedAt
        _publishedAt = OrNull(wrappedValue: record.publishedAt)
    }

    package static var schema: Schema {
        .object(
            "Import", "A bundle that was let in.",
            [
                .required("bundle", .text, "16 hex digits."),
                .required("publisher", .text, "Who signed it."),
                .required("stream", .text, ""),
                .required("sequence", .integer(minimum: 1, maximum: nil), ""),
                .required("state", .words(of: ImportState.self), ""),
                .required("code", .nullable(.text), "Why it waits or failed, for programs."),
                .required("reason", .nullable(.text), "The same for people; of a rejected one, the administrator's."),
                .required("progress", .nullable(ImportEventModel.schema), "Of a run under way."),
                .required("report", .nullable(ImportReportModel.schema), "What publication did."),
                .required("has_receipt", .boolean, ""),
                .required("has_request", .boolean, "There is a file that asks its publisher for what is missing."),
                .required("actor", .text, "Who asked for it last."),
                .required("created_at", .time, ""),
                .required("updated_at", .time, ""),
                .required("published_at", .nullable(.time), ""),
            ])
    }
}

/// A step of a run, or how it ended for one bundle.
package struct ImportEventModel: APIModel {
    package enum Event: String, Codable, Sendable, CaseIterable {
        case progress, outcome
    }

    package let event: Event
    package let bundle: String
    @OrNull package var phase: ImportProgress.Phase? = nil
    package let doneBytes: Int64
    package let totalBytes: Int64
    @OrNull package var volume: Int? = nil
    /// The state after the run; `nil` when nothing was let in.
    @OrNull package var state: ImportState? = nil
    @OrNull package var wasPublished: Bool? = nil
    /// Why it goes no further: a kind of `Problem`, a code and a sentence.
    @OrNull package var kind: String? = nil
    @OrNull package var code: String? = nil
    @OrNull package var message: String? = nil

    init(_ progress: ImportProgress) {
        event = .progress
        bundle = progress.bundle
        doneBytes = progress.doneBytes
        totalBytes = progress.totalBytes
        _phase = OrNull(wrappedValue: progress.phase)
        _volume = OrNull(wrappedValue: progress.volume)
        _message = OrNull(wrappedValue: progress.message)
    }

    init(_ outcome: BundleImporter.Outcome, problem: Problem?) {
        event = .outcome
        bundle = outcome.bundle
        doneBytes = 0
        totalBytes = 0
        _state = OrNull(wrappedValue: outcome.record?.state)
        _wasPublished = OrNull(wrappedValue: outcome.wasPublished)
        _kind = OrNull(wrappedValue: problem?.kind.rawValue)
        _code = OrNull(wrappedValue: problem?.code)
        _message = OrNull(wrappedValue: problem?.message)
    }

    package static var schema: Schema {
        .object(
            "ImportEvent", "A step of an import, or with the event `outcome` how a run ended for one bundle.",
            [
                .required("event", .words(of: Event.self), ""),
                .required("bundle", .text, ""),
                .required("phase", .nullable(.words(of: ImportProgress.Phase.self)), "Of a step."),
                .required("done_bytes", .count, ""),
                .required("total_bytes", .count, ""),
                .required("volume", .nullable(.integer(minimum: 1, maximum: nil)), "The volume that is being read."),
                .required(
                    "state", .nullable(.words(of: ImportState.self)), "Of an outcome; null when nothing was let in."),
                .required("was_published", .nullable(.boolean), "It was published before this run."),
                .required("kind", .nullable(.words(of: Problem.Kind.self)), "Of what keeps it from going on."),
                .required("code", .nullable(.text), "The same for programs."),
                .required("message", .nullable(.text), "The same for people."),
            ])
    }
}

package struct ImportReportModel: APIModel {
    package struct Ref: APIModel {
        package let name: String
        package let oid: String
        package let outcome: ImportReport.Ref.Outcome
        @OrNull package var storedAs: String? = nil

        package static var schema: Schema {
            .object(
                "ImportedRef", "What became of a ref of a bundle.",
                [
                    .required("name", .text, ""), .required("oid", .text, ""),
                    .required(
                        "outcome", .words(of: ImportReport.Ref.Outcome.self),
                        "`kept_local`: it was moved here and stays."),
                    .required("stored_as", .nullable(.text), "Where the bundle's value is then."),
                ])
        }
    }

    package struct Repository: APIModel {
        package let name: String
        package let sourceName: String
        package let isNew: Bool
        package let objectCount: Int
        package let objectBytes: Int64
        package let refs: [Ref]
        @OrNull package var license: String? = nil
        @OrNull package var modelSignature: ImportReport.ModelSignature? = nil

        package static var schema: Schema {
            .object(
                "ImportedRepository", "What a bundle brought of a repository.",
                [
                    .required("name", .text, "As in `models/qwen/qwen3`."),
                    .required("source_name", .text, "Its name in the bundle."),
                    .required("is_new", .boolean, ""),
                    .required("object_count", .count, ""), .required("object_bytes", .count, ""),
                    .required("refs", .list(of: Ref.schema), ""),
                    .required("license", .nullable(.text), "As its author declares it."),
                    .required(
                        "model_signature", .nullable(.words(of: ImportReport.ModelSignature.self)),
                        "`verified`: the publisher signed exactly the files of the commit. Null where none came."),
                ])
        }
    }

    package let repositories: [Repository]
    package let organizations: [String]
    package let aliases: [String]
    package let skippedAliases: [String]

    init(_ report: ImportReport) {
        repositories = report.repositories.map { repository in
            Repository(
                name: repository.name, sourceName: repository.sourceName, isNew: repository.isNew,
                objectCount: repository.objectCount, objectBytes: repository.objectBytes,
                refs: repository.refs.map {
                    Ref(name: $0.name, oid: $0.oid, outcome: $0.outcome, storedAs: $0.storedAs)
                }, license: repository.license, modelSignature: repository.modelSignature)
        }
        organizations = report.organizations
        aliases = report.aliases
        skippedAliases = report.skippedAliases
    }

    package static var schema: Schema {
        .object(
            "ImportReport", "What the publication of a bundle did.",
            [
                .required("repositories", .list(of: Repository.schema), ""),
                .required("organizations", .list(of: .text), "Those that were made."),
                .required("aliases", .list(of: .text), "Ids of one part that were added."),
                .required("skipped_aliases", .list(of: .text), "Those that stand for something else here."),
            ])
    }
}

package struct ImportStreamModel: APIModel {
    package let publisher: String
    package let stream: String
    package let sequence: Int64
    package let bundle: String
    package let publishedAt: Date

    init(_ stream: ImportedStream) {
        publisher = stream.publisher
        self.stream = stream.stream
        sequence = stream.sequence
        bundle = stream.bundle
        publishedAt = stream.publishedAt
    }

    package static var schema: Schema {
        .object(
            "ImportStream", "The last bundle of a stream that was published here.",
            [
                .required("publisher", .text, ""), .required("stream", .text, ""),
                .required("sequence", .integer(minimum: 1, maximum: nil), ""), .required("bundle", .text, ""),
                .required("published_at", .time, ""),
            ])
    }
}

package struct ImportRejectionModel: APIModel {
    package let reason: String

    package init(reason: String) { self.reason = reason }

    package static var schema: Schema {
        .object(
            "ImportRejection", "Why an import is not wanted.",
            [.required("reason", .text(atMost: 1000), "Kept with it.")])
    }
}

/// How much of a file of a bundle has come by network.
package struct ImportUploadModel: APIModel {
    package let receivedBytes: Int64

    package static var schema: Schema {
        .object(
            "ImportUpload", "How much of a volume has been received.",
            [.required("received_bytes", .count, "Go on from here.")])
    }
}
