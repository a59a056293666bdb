import GitStore
import HubCore
import Identity
import MetadataStore

/// A ref command as a client sends it, before its name is known to be valid.
package struct PushCommand: Hashable, Sendable {
    package let name: String
    package let old: GitOID?
    package let new: GitOID?

    package init(name: String, old: GitOID?, new: GitOID?) {
        self.name = name
        self.old = old
        self.new = new
    }
}

/// What became of a push.
package struct PushReport: Sendable {
    package enum Outcome: Hashable, Sendable {
        case updated(isForced: Bool)
        case refused(String)
    }

    /// One outcome for each command, in their order.
    package let outcomes: [Outcome]
    /// Longer explanations for the person who pushes, a line each.
    package let messages: [String]

    static func refusing(_ commands: [PushCommand], _ reason: String, messages: [String] = []) -> PushReport {
        PushReport(outcomes: commands.map { _ in .refused(reason) }, messages: messages)
    }
}

extension GitService {
    /// Applies a push: checks its refs, publishes its pack, then moves the refs in one transaction.
    ///
    /// Nothing is visible before that transaction, and nothing at all if every command is refused.
    /// - Parameter objections: why refs, by their names, may not be set, whatever the push brings.
    package func push(
        _ commands: [PushCommand], pack: ReceivedPack?, snapshot: GitSnapshot, isAtomic: Bool, objections: [String: String] = [:],
        by caller: Caller
    ) async throws -> PushReport {
        let names = Dictionary(grouping: commands, by: \.name)
        if let twice = names.first(where: { $0.value.count > 1 })?.key {
            return .refusing(commands, "multiple updates for ref \(twice.shortened) in one push")
        }
        let missing = try await missingPointers(in: pack, repository: snapshot.repository)
        guard missing.isEmpty else {
            return .refusing(
                commands, "LFS objects are missing; run: git lfs push --all", messages: MissingObjects.explain(missing))
        }
        let verdicts = try await threads.run {
            let objects = try pack?.objects(joinedWith: snapshot.objects) ?? snapshot.objects
            return try commands.map { command -> PushRules.Verdict in
                if let objection = objections[command.name] { return .refused(objection) }
                return try PushRules.check(command, objects: objects, state: snapshot.state)
            }
        }
        let updates = verdicts.compactMap(\.update)
        if updates.isEmpty || (isAtomic && updates.count < commands.count) {
            return Self.report(verdicts, isAtomic: isAtomic, applied: nil)
        }
        return try await publish(
            pack, verdicts: verdicts, updates: updates, snapshot: snapshot, isAtomic: isAtomic, by: caller)
    }

    private func publish(
        _ pack: ReceivedPack?, verdicts: [PushRules.Verdict], updates: [ReferenceUpdate], snapshot: GitSnapshot, isAtomic: Bool,
        by caller: Caller
    ) async throws -> PushReport {
        var description: PackDescription?
        if let pack, pack.description.objectCount > 0 {
            description = try await threads.run { [git] in try git.publish(pack) }
        }
        let repository = snapshot.repository
        let push = Push(
            repository: repository.id, expectedPackGeneration: snapshot.state.packGeneration, pack: description,
            updates: updates, isAtomic: isAtomic, actor: caller.principal.auditName, account: caller.principal.account?.id,
            newDefaultBranch: PushRules.newDefaultBranch(updates, state: snapshot.state),
            audit: caller.entry("git.push", on: repository.reference.description, PushRules.auditDetail(updates)))
        let result = try await store.applyPush(push)
        // The pack's files are kept as long as the pack is held: until its row is there.
        withExtendedLifetime(pack) {}
        switch result {
        case .applied(let outcomes):
            if description != nil { packArrivals.tell(repository.id) }
            tell(updates.filter { outcomes[$0.name] == .updated }, in: repository, by: caller)
            return Self.report(verdicts, isAtomic: isAtomic, applied: outcomes)
        case .packsChanged:
            return PushReport(
                outcomes: verdicts.map { _ in .refused("the repository was being tidied; push again") }, messages: [])
        }
    }

    private func tell(_ moved: [ReferenceUpdate], in repository: Repository, by caller: Caller) {
        guard !moved.isEmpty else { return }
        events.tell(
            RepositoryEvent(
                .pushed(moved), repository: repository, actor: caller.principal.auditName,
                account: caller.principal.account?.id))
    }

    private static func report(
        _ verdicts: [PushRules.Verdict], isAtomic: Bool, applied: [ReferenceName: ReferenceOutcome]?
    ) -> PushReport {
        let outcomes = verdicts.map { verdict -> PushReport.Outcome in
            switch verdict {
            case .refused(let reason): return .refused(reason)
            case .accepted(let update):
                guard let outcome = applied?[update.name] else { return .refused("atomic push failure") }
                switch outcome {
                case .updated: return .updated(isForced: update.isForced)
                case .refused(let reason): return .refused(reason)
                }
            }
        }
        return PushReport(outcomes: outcomes, messages: [])
    }

    /// Pointers in the pack whose objects this repository does not have, with the files that they stand for.
    private func missingPointers(in pack: ReceivedPack?, repository: Repository) async throws -> [MissingObjects.Item] {
        guard let pack, !pack.pointers.isEmpty else { return [] }
        let present = try await store.linkedObjects(among: Array(Set(pack.pointers.map(\.pointer.oid))), in: repository.id)
        let missing = pack.pointers.filter { present[$0.pointer.oid] != $0.pointer.sizeBytes }
        guard !missing.isEmpty else { return [] }
        let shown = Set(missing.prefix(MissingObjects.maximumShown).map(\.blob))
        let paths = try await threads.run { pack.paths(of: shown, limit: MissingObjects.maximumShown) }
        return missing.map { MissingObjects.Item(path: paths[$0.blob], oid: $0.pointer.oid) }
    }
}

/// The message about pointers that were pushed without their objects.
enum MissingObjects {
    static let maximumShown = 20

    struct Item: Sendable {
        let path: String?
        let oid: ObjectID
    }

    static func explain(_ items: [Item]) -> [String] {
        var lines = ["Git LFS objects are missing from this repository:"]
        for item in items.prefix(maximumShown) { lines.append("  \(item.path ?? "(unnamed)") (\(item.oid))") }
        if items.count > maximumShown { lines.append("  and \(items.count - maximumShown) more") }
        lines.append("Upload them, then push again:")
        lines.append("  git lfs push --all <remote>")
        return lines
    }
}
