import BundleFormat
import FoundationEssentials
import GitStore
import HubCore
import MetadataStore
import ObjectStore

/// A repository of a bundle whose git data was checked against what is here.
struct PreparedRepository: Sendable {
    let target: ImportTarget
    let uid: RepositoryUID
    let packGeneration: Int64
    /// Held until the row is there; `nil` when the bundle brings no objects.
    let pack: ReceivedPack?
    let refs: [ImportPublication.Ref]
    /// What the signatures of its files prove.
    var modelSignature: ImportReport.ModelSignature?
    /// What it presumes and the hub does not have.
    let missing: MissingContent
}

/// What a bundle presumes and is not here.
struct MissingContent: Sendable {
    var objects: [ObjectID: Int64] = [:]
    var commits: [(repository: BundleRepository, oids: [GitOID])] = []

    var isEmpty: Bool { objects.isEmpty && commits.isEmpty }
    var commitCount: Int { commits.reduce(0) { $0 + $1.oids.count } }
    var objectBytes: Int64 { objects.values.reduce(0, +) }

    mutating func add(_ other: MissingContent) {
        objects.merge(other.objects) { first, _ in first }
        commits += other.commits
    }
}

extension BundleImporter {
    /// Looks which of the objects and commits that a repository presumes are missing, without any of its content.
    func missing(of target: ImportTarget, in manifest: BundleManifest) async throws -> MissingContent {
        var missing = MissingContent()
        let presumed = target.source.objects.filter { !$0.isInBundle }
        let present = try await store.presumableObjects(
            among: presumed.map(\.oid), publisher: manifest.publisher, repository: target.existing?.id,
            visibility: target.visibility)
        for object in presumed where present[object.oid] != object.sizeBytes {
            missing.objects[object.oid] = object.sizeBytes
        }
        var wanted = target.source.gitBundle?.prerequisites ?? []
        if target.source.gitBundle == nil { wanted += target.source.refs.map(\.oid) }
        if !wanted.isEmpty {
            let (existing, _) = try await gitObjects(of: target, uid: target.existing?.uid ?? RepositoryUID())
            let absent = try await threads.run { [wanted] in wanted.filter { !existing.contains($0) } }
            if !absent.isEmpty { missing.commits.append((target.source, absent)) }
        }
        return missing
    }

    private func gitObjects(of target: ImportTarget, uid: RepositoryUID) async throws -> (
        objects: GitObjects, state: GitState?
    ) {
        let state: GitState?
        if let existing = target.existing { state = try await store.gitState(of: existing.id) } else { state = nil }
        let objects = try await threads.run { [git] in try git.objects(of: uid, packs: state?.packs ?? []) }
        return (objects, state)
    }

    /// Checks the git data of a repository by the rules of a push, and signatures of its files, and decides what becomes of its refs.
    func prepare(
        _ target: ImportTarget, in manifest: BundleManifest, signers: ImportSigners, area: StagingArea
    ) async throws -> PreparedRepository {
        let uid = target.existing?.uid ?? RepositoryUID()
        let (existing, state) = try await gitObjects(of: target, uid: uid)
        var missing = try await missing(of: target, in: manifest)
        guard missing.commits.isEmpty else {
            return PreparedRepository(
                target: target, uid: uid, packGeneration: state?.packGeneration ?? 0, pack: nil, refs: [],
                missing: missing)
        }
        let name = target.source.reference.description
        let tips = target.source.refs.map(\.oid)
        let last =
            if let id = target.existing?.id { try await store.importedReferences(of: id) } else {
                [ReferenceName: GitOID]()
            }
        let (limits, signatures) = (limits, try await modelSignatures(of: target.source, area: area))
        do {
            let (pack, refs, signature) = try await threads.run {
                [git] () -> (ReceivedPack?, [ImportPublication.Ref], ImportReport.ModelSignature?) in
                var pack: ReceivedPack?
                if let bundle = target.source.gitBundle {
                    let receiver = try git.makeReceiver(for: uid, existing: existing, limits: limits)
                    try Self.feed(receiver, from: bundle, existing: existing, area: area)
                    pack = try receiver.finish(tips: tips) { _ in }
                }
                let objects = try pack?.objects(joinedWith: existing) ?? existing
                // One that is here and did not come from this publisher keeps its refs, unless it is empty.
                let isOurs = target.isFollowed || state?.references.isEmpty ?? true
                let refs = try target.source.refs.compactMap {
                    try Self.ref($0, objects: objects, state: state, last: last, isOurs: isOurs)
                }
                let signature = try ImportModelSignature.check(
                    signatures, of: target.source, keys: signers.modelKeys, in: objects)
                return (pack, refs, signature)
            }
            for (oid, size) in try await missingPointers(in: pack, target, manifest) { missing.objects[oid] = size }
            return PreparedRepository(
                target: target, uid: uid, packGeneration: state?.packGeneration ?? 0, pack: pack, refs: refs,
                modelSignature: signature, missing: missing)
        } catch let error as GitStoreError where error != .diskFull {
            throw ImportError.refused(repository: name, reason: error.problem.message)
        } catch let fault as GitBundleHeader.Fault {
            switch fault {
            case .invalid(let reason): throw ImportError.refused(repository: name, reason: "\(reason).")
            }
        }
    }

    private static func feed(
        _ receiver: PackReceiver, from bundle: BundleRepository.GitBundle, existing: GitObjects, area: StagingArea
    ) throws {
        var header = GitBundleHeader()
        try area.read(bundle.sha256, 0..<bundle.sizeBytes) { bytes in
            if header.isComplete { return try receiver.append(bytes) }
            let pack = try header.append(bytes)
            guard header.isComplete else { return }
            if let absent = header.prerequisites.first(where: { !existing.contains($0) }) {
                throw GitBundleHeader.Fault.invalid("it presumes commit \(absent), which the manifest does not say")
            }
            try pack.withUnsafeBytes { try receiver.append($0) }
        }
        guard header.isComplete else { throw GitBundleHeader.Fault.invalid("its header has no end") }
    }

    /// What a ref becomes, and from which values it may be moved; `nil` for a ref that no bundle may bring.
    private static func ref(
        _ ref: BundleRepository.Ref, objects: GitObjects, state: GitState?, last: [ReferenceName: GitOID], isOurs: Bool
    ) throws -> ImportPublication.Ref? {
        // These are this hub's own: what it did not take, and pull requests of its people.
        guard !ref.name.text.hasPrefix("refs/import/"), !ref.name.text.hasPrefix("refs/pr/") else { return nil }
        guard let type = try objects.header(of: ref.oid)?.type else { throw GitStoreError.missing(ref.oid) }
        guard !ref.name.isBranch || type == .commit else {
            throw GitBundleHeader.Fault.invalid("the branch \(ref.name.shortName) does not point to a commit")
        }
        let current = state?.reference(ref.name)?.oid
        let isAhead = try current.map { try contains(ref.oid, $0, objects) } ?? true
        var movesFrom: [GitOID?] = []
        switch current {
        case nil:
            // One that was imported before and is gone was deleted here.
            if isOurs, last[ref.name] == nil { movesFrom = [nil] }
        case let current?:
            if isOurs, current == last[ref.name] || isAhead { movesFrom = [current] }
        }
        return ImportPublication.Ref(
            name: ref.name, oid: ref.oid, peeled: type == .tag ? try objects.peel(ref.oid) : nil, movesFrom: movesFrom,
            isForced: !isAhead)
    }

    private static let ancestryLimit = 500_000

    private static func contains(_ new: GitOID, _ old: GitOID, _ objects: GitObjects) throws -> Bool {
        if new == old { return true }
        guard try objects.header(of: new)?.type == .commit, try objects.header(of: old)?.type == .commit else {
            return false
        }
        return try objects.isAncestor(old, of: new, limit: ancestryLimit)
    }

    /// Large objects that commits of the pack name and that neither the bundle nor the repository has.
    private func missingPointers(
        in pack: ReceivedPack?, _ target: ImportTarget, _ manifest: BundleManifest
    ) async throws -> [ObjectID: Int64] {
        guard let pack, !pack.pointers.isEmpty else { return [:] }
        let listed = Dictionary(target.source.objects.map { ($0.oid, $0.sizeBytes) }) { first, _ in first }
        var absent: [ObjectID: Int64] = [:]
        for (_, pointer) in pack.pointers where listed[pointer.oid] != pointer.sizeBytes {
            absent[pointer.oid] = pointer.sizeBytes
        }
        guard !absent.isEmpty, let id = target.existing?.id else { return absent }
        let linked = try await store.linkedObjects(among: Array(absent.keys), in: id)
        return absent.filter { linked[$0.key] != $0.value }
    }
}
