import BundleFormat
import FoundationEssentials
import HubCore
import MetadataStore
import ObjectStore

/// What this hub says of a published import, to be signed and carried back to the publisher.
package struct ImportReceipt: Sendable {
    package static let schema = "hubbundle-receipt/1"

    private let record: ImportRecord
    private let report: ImportReport
    private let custody: [(file: String, statement: JSONNode)]

    /// - Parameter own: what this hub adds to the statements that came with the bundle.
    init(_ record: ImportRecord, _ report: ImportReport, own: [CustodyStatement]) throws {
        self.record = record
        self.report = report
        let all = (report.custody ?? []).map { ($0.file, Array($0.document.utf8)) } + own.map { ($0.fileName, $0.document) }
        custody = try all.map { file, document in
            (file, try CanonicalJSON.parse(document, file: file, maximumBytes: CustodyStatement.maximumBytes))
        }
    }

    /// Canonical JSON.
    package var canonicalBytes: [UInt8] {
        CanonicalJSON.encode([
            "schema": .string(Self.schema), "bundle": .string(record.bundle),
            "manifest_sha256": .string(record.manifest.hex),
            "publisher": .string(record.publisher), "stream": .string(record.stream),
            "sequence": .integer(record.sequence),
            "imported": .string((record.publishedAt ?? record.updatedAt).formatted(.iso8601)),
            "hub_version": .string(HubVersion.text),
            "result": .string("published"), "repos": .array(report.repositories.map(Self.node)),
            "organizations": .array(report.organizations.map(JSONNode.string)),
            "aliases": .array(report.aliases.map(JSONNode.string)),
            "scan": .array([]),
            "custody": .array(custody.map { ["file": .string($0.file), "statement": $0.statement] }),
            "custody_fault": report.custodyFault.map(JSONNode.string) ?? .null,
            "approved_by": report.approvedBy.map(JSONNode.string) ?? .null,
        ])
    }

    private static func node(_ repository: ImportReport.Repository) -> JSONNode {
        [
            "name": .string(repository.name), "source": .string(repository.sourceName),
            "created": .bool(repository.isNew),
            "objects": .integer(Int64(repository.objectCount)), "bytes": .integer(repository.objectBytes),
            "license": repository.license.map(JSONNode.string) ?? .null,
            "model_signature": repository.modelSignature.map { .string($0.rawValue) } ?? .null,
            "refs": .array(
                repository.refs.map { ref in
                    [
                        "name": .string(ref.name), "oid": .string(ref.oid), "result": .string(ref.outcome.rawValue),
                        "stored_as": ref.storedAs.map(JSONNode.string) ?? .null,
                    ]
                }),
        ]
    }
}

/// What is kept of where a repository came from.
package struct OriginDescription: Hashable, Sendable {
    package let upstream: BundleRepository.Upstream?
    /// Access to it was restricted there.
    package let isGated: Bool

    package init(_ origin: RepositoryOrigin) {
        // It was written below; what cannot be read says nothing.
        let node = try? JSONParser.parse(Array(origin.description.utf8), limits: .init(depth: 8, values: 100_000))
        let from = node?["upstream"]
        upstream = from?["kind"]?.string.map { kind in
            .init(
                kind: kind, url: from?["url"]?.string, revision: from?["revision"]?.string, fetched: from?["fetched"]?.string,
                etag: from?["etag"]?.string, publisher: from?["publisher"]?.string)
        }
        isGated = node?["license"]?["gated"]?.bool ?? false
    }

    static func text(of source: BundleRepository) -> String {
        var members: [JSONMember] = []
        if let upstream = source.upstream {
            members.append(
                JSONMember(
                    "upstream",
                    [
                        "kind": .string(upstream.kind), "url": upstream.url.map(JSONNode.string) ?? .null,
                        "revision": upstream.revision.map(JSONNode.string) ?? .null,
                        "fetched": upstream.fetched.map(JSONNode.string) ?? .null,
                        "etag": upstream.etag.map(JSONNode.string) ?? .null,
                        "publisher": upstream.publisher.map(JSONNode.string) ?? .null,
                    ]))
        }
        if let license = source.license {
            members.append(
                JSONMember(
                    "license", ["spdx": license.spdx.map(JSONNode.string) ?? .null, "gated": .bool(license.isGated)]))
        }
        members.append(
            JSONMember(
                "attachments",
                .array(
                    source.attachments.map { file in
                        [
                            "format": .string(file.format), "name": .string(file.name),
                            "sha256": .string(file.sha256.hex),
                            "size": .integer(file.sizeBytes),
                        ]
                    })))
        return String(decoding: CanonicalJSON.encode(.object(members)), as: UTF8.self)
    }
}

/// The small file that asks a publisher for what an import presumes and this hub does not have.
enum ImportRequest {
    static let schema = "hubbundle-request/1"
    static let document = "REQUEST.json"

    static func bytes(_ missing: MissingContent, _ manifest: BundleManifest, bundle: String) -> [UInt8] {
        CanonicalJSON.encode([
            "schema": .string(schema), "bundle": .string(bundle), "publisher": .string(manifest.publisher),
            "stream": .string(manifest.stream), "sequence": .integer(manifest.sequence),
            "objects": .array(
                missing.objects.sorted { $0.key.hex < $1.key.hex }.map {
                    ["oid": .string($0.key.hex), "size": .integer($0.value)]
                }),
            "git": .array(
                missing.commits.map { wanted in
                    [
                        "uid": .string(wanted.repository.uid), "name": .string(wanted.repository.reference.description),
                        "oids": .array(wanted.oids.map { .string($0.hex) }),
                    ]
                }),
        ])
    }
}

extension BundleImporter {
    func keepRequest(_ missing: MissingContent, _ manifest: BundleManifest, bundle: String) async throws {
        let (area, bytes) = (area(of: bundle), ImportRequest.bytes(missing, manifest, bundle: bundle))
        try await objects.stage { try area.write(bytes, document: ImportRequest.document) }
    }

    /// The request file of a parked import; `nil` when it waits for nothing.
    package func request(of bundle: String) async throws -> [UInt8]? {
        guard let record = try await store.importRecord(bundle) else { throw MetadataError.importNotFound }
        guard record.state == .parked else { return nil }
        let area = area(of: bundle)
        return try await objects.stage { try area.document(ImportRequest.document) }
    }

    package func receipt(of bundle: String) async throws -> String {
        guard let record = try await store.importRecord(bundle) else { throw MetadataError.importNotFound }
        return try await signReceipt(record)
    }

    @discardableResult
    func signReceipt(_ record: ImportRecord) async throws -> String {
        if let receipt = record.receipt { return receipt }
        guard let report = record.report else { throw ImportError.noReceipt(record.bundle) }
        let own = try await ownStatements(record, report)
        let receipt = try await trust.sign(receipt: ImportReceipt(record, report, own: own).canonicalBytes)
        try await store.keepReceipt(
            receipt, of: record.bundle,
            audit: AuditEntry(
                actor: "hub", action: "bundle.receipt", target: record.bundle,
                detail: own.isEmpty ? [:] : ["custody": CustodyChain.text(own)]))
        return receipt
    }
}
