import BundleFormat
import FoundationEssentials
import HubCore
import Identity
import MetadataStore
import ObjectStore

/// Who handled a bundle before it came here, and what this hub adds to that. Nothing is ever written to the medium.
extension BundleImporter {
    /// What these media say, and what was kept from those before.
    func custody(of trusted: Trusted) async throws -> CustodyChain {
        let kept = try await keptStatements(of: trusted.bundle)
        let all = (kept.isEmpty ? [] : [kept]) + (try await statements(on: trusted))
        return Self.chain(all, trusted.manifest, digest: trusted.key)
    }

    /// The files of each medium, by their paths; read only once the bundle is trusted, so that no stranger fills the memory.
    func statements(on trusted: Trusted) async throws -> [[String: [UInt8]]] {
        let folders = trusted.found.folders
        return try await objects.stage { try folders.map { try CustodyChain.documents(folder: $0) } }
    }

    /// The chain of an import under way, without a medium.
    func keptCustody(of bundle: String, _ manifest: BundleManifest, digest: ObjectID) async throws -> CustodyChain {
        Self.chain([try await keptStatements(of: bundle)], manifest, digest: digest)
    }

    private static func chain(
        _ media: [[String: [UInt8]]], _ manifest: BundleManifest, digest: ObjectID
    ) -> CustodyChain {
        .joined(media.map { CustodyChain($0, manifest: digest, isExpected: !manifest.custody.isEmpty) })
    }

    private func keptStatements(of bundle: String) async throws -> [String: [UInt8]] {
        let area = area(of: bundle)
        return try await objects.stage {
            var documents: [String: [UInt8]] = [:]
            // Before the first byte is staged there is no such folder.
            let names = try area.exists ? area.documents() : []
            for name in names where name.hasPrefix(CustodyStatement.folder + ":") {
                documents[name.replacing(":", with: "/")] = try area.document(name)
            }
            return documents
        }
    }

    /// Keeps the statements of media for the time when these are gone; the first of two with one name stays.
    static func keep(_ media: [[String: [UInt8]]], in area: StagingArea) throws {
        for (path, bytes) in media.joined() {
            let name = path.replacing("/", with: ":")
            if try area.document(name) == nil { try area.write(bytes, document: name) }
        }
    }

    /// Why the chain keeps the bundle out, where the site wants one.
    func obstacle(_ chain: CustodyChain, _ signers: ImportSigners) async throws -> ImportError? {
        let setting = try await store.setting(SiteSetting.importCustody.key) ?? SiteSetting.importCustody.defaultValue
        guard setting == SiteSetting.custodyRequired else { return nil }
        if let fault = chain.fault { return .custody(fault) }
        guard let first = chain.statements.first else { return .custody("The bundle brings no statements of custody.") }
        guard signers.keyIDs.contains(where: { $0.hex == first.key.keyID }) else {
            return .custody("The first statement of custody is by another key than the bundle.")
        }
        return nil
    }

    /// The statements that this hub adds to a published bundle's chain, for its receipt.
    func ownStatements(_ record: ImportRecord, _ report: ImportReport) async throws -> [CustodyStatement] {
        let tool = "csghub \(HubVersion.text)"
        var steps = [
            CustodyStatement.Facts(
                step: "import", host: HostName.text, operator: record.actor, tool: tool, time: record.createdAt.formatted(.iso8601))
        ]
        if let approver = report.approvedBy {
            steps.append(
                .init(
                    step: "approval", host: HostName.text, operator: approver, tool: tool,
                    time: (record.publishedAt ?? record.updatedAt).formatted(.iso8601)))
        }
        var former = try report.custody?.last.map { try CustodyStatement(parsing: Array($0.document.utf8), file: $0.file) }
        var statements: [CustodyStatement] = []
        for step in steps where (former?.number ?? 0) < CustodyStatement.maximumCount {
            guard let statement = try await trust.sign(step, after: former, manifest: record.manifest) else { break }
            statements.append(statement)
            former = statement
        }
        return statements
    }
}
