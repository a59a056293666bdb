import GitStore
import HubCore
import MetadataStore

/// What refs a push may set. Source: the rules of git's own `receive-pack`, *git `git-receive-pack(1)`*.
enum PushRules {
    enum Verdict: Sendable {
        case accepted(ReferenceUpdate)
        case refused(String)

        var update: ReferenceUpdate? {
            guard case .accepted(let update) = self else { return nil }
            return update
        }
    }

    /// Commits looked at to tell a fast-forward from a forced update; beyond, it counts as forced.
    static let ancestryLimit = 500_000

    /// Checks one command against the objects that will be there. Blocking; call on git's threads.
    static func check(_ command: PushCommand, objects: GitObjects, state: GitState) throws -> Verdict {
        guard let name = ReferenceName(command.name) else { return .refused("invalid ref name") }
        guard let new = command.new else {
            guard name.text != "refs/heads/" + state.defaultBranch else {
                return .refused("deletion of the default branch prohibited")
            }
            return .accepted(ReferenceUpdate(name: name, old: command.old, new: nil))
        }
        guard let header = try objects.header(of: new) else { return .refused("missing necessary objects") }
        if name.isBranch, header.type != .commit { return .refused("a branch must point to a commit") }
        if name.text.hasPrefix("refs/pr/"), header.type != .commit { return .refused("a pull request must point to a commit") }
        let peeled: GitOID?
        do {
            peeled = header.type == .tag ? try objects.peel(new) : nil
        } catch GitStoreError.tagChainTooLong {
            return .refused("the tag leads through more than \(GitObjects.maximumTagChain) tags")
        }
        return .accepted(
            ReferenceUpdate(
                name: name, old: command.old, new: new, peeled: peeled,
                isForced: try isForced(command.old, to: new, type: header.type, objects: objects)))
    }

    private static func isForced(_ old: GitOID?, to new: GitOID, type: GitObjectType, objects: GitObjects) throws -> Bool {
        guard let old, old != new else { return false }
        guard type == .commit, try objects.header(of: old)?.type == .commit else { return true }
        return try !objects.isAncestor(old, of: new, limit: ancestryLimit)
    }

    /// The branch that HEAD should point to from now on, when its present one does not exist: `main`, `master`, or the
    /// first branch of the push.
    static func newDefaultBranch(_ updates: [ReferenceUpdate], state: GitState) -> String? {
        let target = "refs/heads/" + state.defaultBranch
        guard !state.references.contains(where: { $0.name.text == target }) else { return nil }
        let branches = updates.filter { $0.name.isBranch && $0.new != nil }.map(\.name.shortName)
        guard !branches.contains(state.defaultBranch) else { return nil }
        return ["main", "master"].first(where: branches.contains) ?? branches.first
    }

    /// At most 20 refs with their old and new values, for the audit log.
    static func auditDetail(_ updates: [ReferenceUpdate]) -> [String: String] {
        var detail: [String: String] = ["refs": String(updates.count)]
        for update in updates.prefix(20) {
            detail[update.name.text] = "\(update.old?.hex ?? "none")..\(update.new?.hex ?? "none")"
        }
        return detail
    }
}
