import BundleFormat
import FoundationEssentials
import GitStore
import HubCore
import Identity
import Logging
import MetadataStore
import ObjectStore
import Repositories
import Synchronization

/// Takes bundles in: from any media, in any order, over any number of runs, until everything of one becomes visible at once.
///
/// `DISCOVERED → TRUSTED → PREFLIGHT → STAGING → VERIFIED → SCANNED → [AWAITING APPROVAL] → PUBLISHED → RECEIPT`. The states up to
/// preflight leave nothing behind. Content lies in `staging/imports/<bundle>/` until publication; the row of the import says how far it
/// is, the journal there which bytes are good.
package final class BundleImporter: Sendable {
    /// A bundle with the media that bring it in this run.
    struct Found: Sendable {
        let signed: SignedManifest
        var folders: [String]
    }

    /// A bundle that is trusted.
    struct Trusted: Sendable {
        let found: Found
        let signers: ImportSigners
        let manifest: BundleManifest
        var bundle: String { found.signed.id.text }
        var key: ObjectID { BundleDigest.hash(found.signed.bytes) }
        var locations: [BundleLocation] {
            found.folders.map {
                BundleLocation(folder: $0, manifestBytes: found.signed.bytes, manifest: manifest, id: found.signed.id)
            }
        }
    }

    /// How a run of one bundle ended.
    package struct Outcome: Sendable {
        package let bundle: String
        package let record: ImportRecord?
        /// Why it goes no further for now; `nil` when it is published, or waits for an administrator.
        package let failure: (any Error)?
        /// It was published before this run.
        package var wasPublished = false

        package init(bundle: String, record: ImportRecord?, failure: (any Error)?, wasPublished: Bool = false) {
            self.bundle = bundle
            self.record = record
            self.failure = failure
            self.wasPublished = wasPublished
        }
    }

    let store: MetadataStore
    let objects: FileObjectStore
    let git: GitStore
    let threads: GitThreads
    let limits: ReceiveLimits
    let identity: Identity
    let events: RepositoryEvents
    let trust: any ImportTrust
    let logger: Logger
    package let board = ImportProgressBoard()
    private let busy = Mutex<Set<String>>([])
    /// One import at a time uses the disk.
    let turns = ReceiveQueue(width: 1)

    package init(
        store: MetadataStore, objects: FileObjectStore, git: GitStore, threads: GitThreads, limits: ReceiveLimits,
        identity: Identity, events: RepositoryEvents, trust: any ImportTrust, logger: Logger
    ) {
        self.store = store
        self.objects = objects
        self.git = git
        self.threads = threads
        self.limits = limits
        self.identity = identity
        self.events = events
        self.trust = trust
        self.logger = logger
    }

    // MARK: - Importing

    /// Imports every bundle below `options.paths`, by stream and sequence, as far as each goes; then those that waited for one of them.
    ///
    /// - Parameter chosen: only these bundles; all when empty.
    /// - Throws: what stops it before any bundle was looked at. What stops one bundle is in its outcome.
    package func run(_ options: ImportOptions, chosen: Set<String> = [], by caller: Caller) async throws -> [Outcome] {
        try await identity.requireSite(.approveImports, by: caller.principal)
        var options = options
        if options.paths.isEmpty { options.paths = try await self.mediaPaths(of: chosen) }
        try await checkPaths(options.paths, by: caller)
        let given = options
        let found = try await discover(given.paths).filter { chosen.isEmpty || chosen.contains($0.signed.id.text) }
        guard !found.isEmpty else { throw ImportError.noBundle(given.paths) }
        var trusted: [Trusted] = []
        var outcomes: [Outcome] = []
        for one in found {
            do {
                trusted.append(try await judge(one, by: caller))
            } catch {
                outcomes.append(Outcome(bundle: one.signed.id.text, record: nil, failure: error))
            }
        }
        trusted.sort {
            ($0.manifest.publisher, $0.manifest.stream, $0.manifest.sequence) < (
                $1.manifest.publisher, $1.manifest.stream, $1.manifest.sequence
            )
        }
        // Of those that a cancelled run does not reach.
        defer { for one in trusted where !isBusy(one.bundle) { board.finish(one.bundle) } }
        for one in trusted {
            outcomes.append(try await attempt(one.bundle) { try await self.take(one, given, by: caller) })
        }
        if outcomes.contains(where: { $0.record?.state == .published && !$0.wasPublished }) {
            outcomes += try await continueParked(except: Set(outcomes.map(\.bundle)), by: caller)
        }
        return outcomes
    }

    /// Goes on with an import from the media that it was given before, or from others.
    package func resume(_ bundle: String, paths: [String]? = nil, by caller: Caller) async throws -> [Outcome] {
        try await identity.requireSite(.approveImports, by: caller.principal)
        var options = try await self.options(of: bundle)
        if let paths { options.paths = paths }
        do {
            return try await run(options, chosen: [bundle], by: caller)
        } catch let error where (error as? ImportError)?.problem.code == "no_bundle" || error is BundleError {
            // Perhaps everything is staged already and no medium is needed.
            return [try await attempt(bundle) { try await self.advance(bundle, by: caller) }]
        }
    }

    func options(of bundle: String) async throws -> ImportOptions {
        guard let record = try await store.importRecord(bundle) else { throw MetadataError.importNotFound }
        return try ImportOptions(reading: record.options)
    }

    /// Runs one step of one bundle and turns what stops it into an outcome. Only a cancelled run throws.
    func attempt(_ bundle: String, _ work: @Sendable () async throws -> Outcome) async throws -> Outcome {
        guard claim(bundle) else {
            return Outcome(
                bundle: bundle, record: try await store.importRecord(bundle), failure: ImportError.busy(bundle))
        }
        defer {
            release(bundle)
            board.finish(bundle)
        }
        do {
            return try await turns.run(bundle) { try await work() }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let failure = Self.translated(error, bundle)
            try await note(failure, of: bundle)
            board.tell(ImportProgress(bundle: bundle, phase: .stopped, message: Problem.describing(failure)?.message))
            return Outcome(bundle: bundle, record: try await store.importRecord(bundle), failure: failure)
        }
    }

    /// Keeps others from the same bundle until `release`; `false` when somebody else has it.
    func claim(_ bundle: String) -> Bool { busy.withLock { $0.insert(bundle).inserted } }
    private func isBusy(_ bundle: String) -> Bool { busy.withLock { $0.contains(bundle) } }
    func release(_ bundle: String) { _ = busy.withLock { $0.remove(bundle) } }

    private static func translated(_ error: any Error, _ bundle: String) -> any Error {
        if let error = error as? ObjectStoreError, error == .outOfSpace {
            return ImportError.pausedWithoutSpace(bundle)
        }
        if let error = error as? GitStoreError, error == .diskFull { return ImportError.pausedWithoutSpace(bundle) }
        if let error = error as? MetadataError, error == .outOfSpace { return ImportError.pausedWithoutSpace(bundle) }
        return error
    }

    /// Writes down why an import stopped, so that its status says so.
    private func note(_ failure: any Error, of bundle: String) async throws {
        guard let problem = Problem.describing(failure), let record = try await store.importRecord(bundle),
            record.state.keepsStaging
        else { return }
        let state: ImportState
        switch failure as? ImportError {
        case .parked: state = .parked
        case .wrongContent, .refused, .wrongModelSignature: state = .failed
        default: state = record.state
        }
        _ = try await store.moveImport(
            bundle, from: [record.state], to: state, reasonCode: problem.code, reason: problem.message)
    }

    // MARK: - Discovery and trust

    /// The bundles below these paths, each with all folders that bring it.
    func discover(_ paths: [String]) async throws -> [Found] {
        try await objects.stage {
            var found: [Found] = []
            var firstError: BundleError?
            var room = Self.maximumDocumentBytes
            for path in paths {
                do {
                    for folder in try Media.folders(below: path) {
                        if let known = found.firstIndex(where: { $0.signed.bytes == folder.manifestBytes }) {
                            if !found[known].folders.contains(folder.path) { found[known].folders.append(folder.path) }
                        } else {
                            let signed = try Self.signed(folder, room: &room)
                            found.append(Found(signed: signed, folders: [folder.path]))
                        }
                    }
                } catch let error as BundleError {
                    if case .tooLarge = error { throw error }
                    // One medium that was pulled does not stop the others.
                    firstError = firstError ?? error
                }
            }
            if found.isEmpty, let firstError { throw firstError }
            return found
        }
    }

    private static let signatureFile = BundleSignature.fileName
    /// Of all manifests and signatures that a run keeps before it has judged one of them.
    private static let maximumDocumentBytes = 128 << 20

    private static func signed(_ folder: BundleFolder, room: inout Int) throws -> SignedManifest {
        func take(_ bytes: [UInt8]) throws(BundleError) -> [UInt8] {
            room -= bytes.count
            guard room >= 0 else {
                throw .tooLarge(
                    what: "The manifests on these media together", limit: "\(maximumDocumentBytes >> 20) MiB")
            }
            return bytes
        }
        let manifest = try take(folder.manifestBytes)
        var documents: [String: [UInt8]] = [:]
        for name in [signatureFile] + (1...TrustRoot.maximumVersion).map({ "trust/\(TrustRoot.fileName($0))" }) {
            let limit = name == signatureFile ? DSSEEnvelope.maximumBytes : TrustRoot.maximumBytes
            do throws(BundleError) {
                documents[name] = try take(Media.contents(of: "\(folder.path)/\(name)", name: name, limit: limit))
            } catch {
                // No signature is that long: it is judged as a wrong one, and hinders no other bundle.
                if case .tooLarge(let what, _) = error, what == name {
                    documents[name] = []
                    continue
                }
                // Roots are numbered without gaps, and a bundle without a signature is judged as such.
                guard case .inaccessible = error else { throw error }
                if name != signatureFile { break }
            }
        }
        return SignedManifest(bytes: manifest, id: folder.id, documents: documents, folder: folder.path)
    }

    private func judge(_ found: Found, by caller: Caller) async throws -> Trusted {
        let bundle = found.signed.id.text
        // The steps of a run under way are its own to tell.
        let isBusy = isBusy(bundle)
        if !isBusy { board.tell(ImportProgress(bundle: bundle, phase: .discovered)) }
        do {
            let (signers, manifest) = try await trust.judge(found.signed)
            if !isBusy { board.tell(ImportProgress(bundle: bundle, phase: .trusted)) }
            return Trusted(found: found, signers: signers, manifest: manifest)
        } catch {
            // Otherwise whoever watches would wait for ever.
            if !isBusy { board.finish(bundle) }
            guard Problem.describing(error) != nil else { throw error }
            try await noteRefusal(error, of: bundle, by: caller)
            throw error
        }
    }

    /// Writes into the audit log that somebody wanted a bundle that is not trusted.
    func noteRefusal(_ error: any Error, of bundle: String, by caller: Caller) async throws {
        guard let problem = Problem.describing(error) else { return }
        try await store.appendAudit(
            caller.entry("bundle.refuse", on: bundle, ["code": problem.code, "reason": String(problem.message.prefix(300))]))
    }
}

extension Problem {
    /// What a refusal says; `nil` for a fault of the hub.
    static func describing(_ error: any Error) -> Problem? { (error as? any Refusal)?.problem }
}
