import GitStore
import HubCore
import Identity
import MetadataStore
import NIOCore

extension GitService {
    /// Gives an empty repository the branches and tags of another, with all that they reach.
    ///
    /// Its large objects must be linked before. The pack goes through the same checks as one that is pushed.
    package func copyContent(of source: Repository, to target: Repository, by caller: Caller) async throws {
        let from = try await snapshot(of: source)
        let references = from.references.filter { $0.name.isBranch || $0.name.isTag }
        guard !references.isEmpty else { return }
        let to = try await snapshot(of: target)
        let receiver = try await makeReceiver(for: to)
        let tips = references.map(\.oid)
        let fairKey = caller.principal.auditName
        let stream = try await packStream(
            FetchRequest(wants: Array(Set(tips)), usesOffsetDeltas: true), snapshot: from, fairKey: fairKey,
            framing: .none)
        for try await event in stream {
            guard case .data(let bytes) = event else { continue }
            try await threads.run { try bytes.withUnsafeReadableBytes { try receiver.append($0) } }
        }
        let pack = try await finish(receiver, tips: tips, fairKey: fairKey) { _ in }
        let commands = references.map { PushCommand(name: $0.name.text, old: nil, new: $0.oid) }
        let report = try await push(commands, pack: pack, snapshot: to, isAtomic: true, by: caller)
        guard report.outcomes.allSatisfy({ if case .updated = $0 { true } else { false } }) else {
            throw RepositoryError.headMoved(branch: target.defaultBranch)
        }
    }
}
