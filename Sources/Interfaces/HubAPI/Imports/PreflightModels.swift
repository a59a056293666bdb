import BundleFormat
import Bundles
import HubCore

/// What an import would do and need.
package struct PreflightModel: APIModel {
    package struct Repository: APIModel {
        package let sourceName: String
        package let name: String
        package let isNew: Bool
        package let refCount: Int
        package let objectCount: Int
        package let objectBytes: Int64
        @OrNull package var license: String? = nil
        package let licenseAnswer: LicensePolicy.Answer
        package let isLicenseAccepted: Bool
        package let isGated: Bool
        package let hasModelSignature: Bool

        package static var schema: Schema {
            .object(
                "PreflightRepository", "Where a repository of a bundle would go.",
                [
                    .required("source_name", .text, "Its name in the bundle."),
                    .required("name", .text, "Its name here."), .required("is_new", .boolean, ""),
                    .required("ref_count", .count, ""), .required("object_count", .count, ""),
                    .required("object_bytes", .count, ""),
                    .required("license", .nullable(.text), "As its author declares; nobody has checked it."),
                    .required("license_answer", .words(of: LicensePolicy.Answer.self), "What the setting `import-licenses` says of it."),
                    .required("is_license_accepted", .boolean, "The order accepts it."),
                    .required("is_gated", .boolean, "Access is restricted where it came from; if it is new, it arrives gated."),
                    .required(
                        "has_model_signature", .boolean,
                        "A signature of its files comes with it; it is checked against the commit once that is here."),
                ])
        }
    }

    package struct Volume: APIModel {
        package let number: Int
        @OrNull package var medium: Int? = nil
        package let sizeBytes: Int64
        package let isPresent: Bool
        package let isDone: Bool

        package static var schema: Schema {
            .object(
                "PreflightVolume", "A volume of a bundle.",
                [
                    .required("number", .count, ""),
                    .required("medium", .nullable(.integer(minimum: 1, maximum: nil)), ""),
                    .required("size_bytes", .count, ""), .required("is_present", .boolean, "On one of these media."),
                    .required("is_done", .boolean, "Taken in already."),
                ])
        }
    }

    package struct Custody: APIModel {
        package let number: Int
        package let step: String
        @OrNull package var host: String? = nil
        @OrNull package var `operator`: String? = nil
        @OrNull package var tool: String? = nil
        @OrNull package var time: String? = nil
        @OrNull package var note: String? = nil
        package let fingerprint: String
        @OrNull package var signer: String? = nil

        init(_ statement: CustodyStatement, signer: String?) {
            number = statement.number
            step = statement.facts.step
            _host = OrNull(wrappedValue: statement.facts.host)
            _operator = OrNull(wrappedValue: statement.facts.operator)
            _tool = OrNull(wrappedValue: statement.facts.tool)
            _time = OrNull(wrappedValue: statement.facts.time)
            _note = OrNull(wrappedValue: statement.facts.note)
            fingerprint = statement.key.fingerprint
            _signer = OrNull(wrappedValue: signer)
        }

        package static var schema: Schema {
            .object(
                "CustodyStep", "Who handled a bundle, as a signed statement beside it says.",
                [
                    .required("number", .count, ""), .required("step", .text, "`export`, `seal`, `scan` …"),
                    .required("host", .nullable(.text), ""), .required("operator", .nullable(.text), ""),
                    .required("tool", .nullable(.text), ""), .required("time", .nullable(.text), "As the clock there said."),
                    .required("note", .nullable(.text), ""),
                    .required("fingerprint", .text, "Of the key that signed the statement."),
                    .required("signer", .nullable(.text), "The trusted publisher whose key that is."),
                ])
        }
    }

    package let bundle: String
    package let publisher: String
    package let fingerprints: [String]
    package let stream: String
    package let sequence: Int64
    @OrNull package var lastSequence: Int64? = nil
    package let created: String
    package let isDelta: Bool
    @OrNull package var note: String? = nil
    @OrNull package var state: String? = nil
    package let repositories: [Repository]
    package let volumes: [Volume]
    package let organizations: [String]
    package let contentBytes: Int64
    package let presentBytes: Int64
    package let copyBytes: Int64
    package let neededBytes: Int64
    package let freeBytes: Int64
    package let neededFiles: Int64
    @OrNull package var freeFiles: Int64? = nil
    package let missingObjects: Int
    package let missingObjectBytes: Int64
    package let missingCommits: Int
    package let heldNames: [String]
    package let notes: [String]
    package let custody: [Custody]
    /// Why the chain of custody is not whole.
    @OrNull package var custodyFault: String? = nil
    @OrNull package var obstacle: APIErrorBody.Detail? = nil
    /// The kind of that `Problem`.
    @OrNull package var obstacleKind: String? = nil

    init(_ preflight: ImportPreflight) {
        bundle = preflight.bundle
        publisher = preflight.publisher
        fingerprints = preflight.fingerprints
        stream = preflight.stream
        sequence = preflight.sequence
        _lastSequence = OrNull(wrappedValue: preflight.lastSequence)
        created = preflight.created
        isDelta = preflight.isDelta
        _note = OrNull(wrappedValue: preflight.note)
        _state = OrNull(wrappedValue: preflight.state)
        repositories = preflight.repositories.map {
            Repository(
                sourceName: $0.sourceName, name: $0.name, isNew: $0.isNew, refCount: $0.refCount,
                objectCount: $0.objectCount,
                objectBytes: $0.objectBytes, license: $0.license, licenseAnswer: $0.licenseAnswer,
                isLicenseAccepted: $0.isLicenseAccepted, isGated: $0.isGated, hasModelSignature: $0.hasModelSignature)
        }
        volumes = preflight.volumes.map {
            Volume(
                number: $0.number, medium: $0.medium, sizeBytes: $0.sizeBytes, isPresent: $0.isPresent,
                isDone: $0.isDone)
        }
        organizations = preflight.organizations
        contentBytes = preflight.contentBytes
        presentBytes = preflight.presentBytes
        copyBytes = preflight.copyBytes
        neededBytes = preflight.neededBytes
        freeBytes = preflight.freeBytes
        neededFiles = preflight.neededFiles
        _freeFiles = OrNull(wrappedValue: preflight.freeFiles)
        missingObjects = preflight.missingObjects
        missingObjectBytes = preflight.missingObjectBytes
        missingCommits = preflight.missingCommits
        heldNames = preflight.heldNames
        notes = preflight.notes
        custody = preflight.custody.statements.map { Custody($0, signer: preflight.keyNames[$0.key.keyID]) }
        _custodyFault = OrNull(wrappedValue: preflight.custody.fault)
        _obstacle = OrNull(
            wrappedValue: (preflight.obstacle?.problem).map {
                APIErrorBody.Detail(code: $0.code, message: $0.message, requestId: nil)
            })
        _obstacleKind = OrNull(wrappedValue: preflight.obstacle?.problem.kind.rawValue)
    }

    package static var schema: Schema {
        .object(
            "Preflight", "What an import would do and need; nothing was copied.",
            [
                .required("bundle", .text, ""), .required("publisher", .text, ""),
                .required("fingerprints", .list(of: .text), "Of the keys that signed it."),
                .required("stream", .text, ""), .required("sequence", .count, ""),
                .required("last_sequence", .nullable(.count), "The highest of the stream that was published here."),
                .required("created", .text, "As the publisher's clock said."), .required("is_delta", .boolean, ""),
                .required("note", .nullable(.text), ""),
                .required("state", .nullable(.text), "If the import began before."),
                .required("repositories", .list(of: Repository.schema), ""),
                .required("volumes", .list(of: Volume.schema), ""),
                .required("organizations", .list(of: .text), "Those that will be made."),
                .required("content_bytes", .count, ""),
                .required("present_bytes", .count, "Of these, staged or here already."),
                .required("copy_bytes", .count, "Of these, still to be copied."),
                .required("needed_bytes", .count, "What the disk must have room for."),
                .required("free_bytes", .count, ""),
                .required("needed_files", .count, ""), .required("free_files", .nullable(.count), ""),
                .required("missing_objects", .count, "Presumed and not here."),
                .required("missing_object_bytes", .count, ""),
                .required("missing_commits", .count, "Presumed and not here."),
                .required("held_names", .list(of: .text), "Names that need a mapping."),
                .required("notes", .list(of: .text), "Things to know that stop nothing."),
                .required("custody", .list(of: Custody.schema), "Who handled the bundle, as far as the chain is whole."),
                .required("custody_fault", .nullable(.text), "Why it is not whole."),
                .required(
                    "obstacle",
                    .nullable(APIErrorBody.detailSchema), "Why the import cannot begin."),
                .required("obstacle_kind", .nullable(.words(of: Problem.Kind.self)), "Of what keeps it from beginning."),
            ])
    }
}

package struct PreflightListModel: APIModel {
    package let bundles: [PreflightModel]

    package static var schema: Schema {
        .object(
            "PreflightList", "What would be imported.", [.required("bundles", .list(of: PreflightModel.schema), "")])
    }
}

/// A bundle on a medium below an import directory.
package struct ImportMediumModel: APIModel {
    package let path: String
    package let bundle: String
    @OrNull package var state: String? = nil

    package init(path: String, bundle: String, state: String?) {
        self.path = path
        self.bundle = bundle
        _state = OrNull(wrappedValue: state)
    }

    package static var schema: Schema {
        .object(
            "ImportMedium", "A bundle found below an import directory; who signed it is not looked at here.",
            [
                .required("path", .text, "Where, for an import order."), .required("bundle", .text, ""),
                .required("state", .nullable(.text), "Of its import, if it was let in before."),
            ])
    }
}
