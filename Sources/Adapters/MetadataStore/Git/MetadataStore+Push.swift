import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    /// Makes a push visible: refs by compare-and-swap, the reflog, and the pack's row if at least one ref was updated.
    ///
    /// The pack's files must be published before. Publishing a pack that a row names already is harmless. Objects that
    /// were checked against an older set of packs still exist unless packs were dropped since; then it is
    /// `.packsChanged` and nothing was done. `GitState.hasUnreachable` becomes true when a ref was deleted or forced or
    /// the pack holds more than the refs reach.
    package func applyPush(_ push: Push) async throws -> PushResult {
        try await write { db, now in
            var application = PushApplication(push, at: now, in: db)
            return try application.run()
        }
    }
}

/// One push in one transaction.
private struct PushApplication {
    private let push: Push
    private let now: Int64
    private let db: Database
    private var outcomes: [ReferenceName: ReferenceOutcome] = [:]

    init(_ push: Push, at now: Int64, in db: Database) {
        self.push = push
        self.now = now
        self.db = db
    }

    mutating func run() throws -> PushResult {
        let head = try RepositoryHead(push.repository, in: db)
        let needsObjects = push.pack != nil || push.updates.contains { $0.new != nil }
        if needsObjects, push.expectedPackGeneration < head.droppedGeneration { return .packsChanged }

        let updates = push.isAtomic ? try checkedWhole() : try applicable()
        guard !updates.isEmpty else { return .applied(outcomes) }
        for update in updates { try apply(update) }
        let addsPack =
            try push.pack.map { try add($0, to: head, areAllUpdated: updates.count == push.updates.count) } ?? false
        let leavesObjects =
            updates.contains { $0.new == nil || $0.isForced } || (addsPack && !isReachable(updates.count))
        try db.run(
            """
            UPDATE repositories SET refs_version = refs_version + 1, updated_at = ?, has_unreachable = max(has_unreachable, ?)
            WHERE id = ?
            """, [now, leavesObjects, push.repository])
        try chooseDefaultBranch(instead: head.defaultBranch)
        try audit(updates)
        return .applied(outcomes)
    }

    /// Those that may be applied, deletions first so that they make room; the outcomes of all others are set.
    private mutating func applicable() throws -> [ReferenceUpdate] {
        let ordered = push.updates.filter { $0.new == nil } + push.updates.filter { $0.new != nil }
        var updates: [ReferenceUpdate] = []
        var shadow = NameShadow()
        for update in ordered {
            if outcomes[update.name] != nil {
                outcomes[update.name] = .refused("several updates of one ref in a push")
                updates.removeAll { $0.name == update.name }
            } else if let reason = try refusal(of: update, shadow) {
                outcomes[update.name] = .refused(reason)
            } else {
                outcomes[update.name] = .updated
                updates.append(update)
                shadow.note(update)
            }
        }
        return updates
    }

    /// All, or none when one cannot be applied.
    private mutating func checkedWhole() throws -> [ReferenceUpdate] {
        let updates = try applicable()
        guard updates.count < push.updates.count else { return updates }
        for update in updates { outcomes[update.name] = .refused("atomic push failed: another ref of it was refused") }
        return []
    }

    private func refusal(of update: ReferenceUpdate, _ shadow: NameShadow) throws -> String? {
        let current = try ReferenceRow.oid(of: update.name.text, of: push.repository, in: db)
        if current != update.old {
            return switch (update.old, current) {
            case (nil, _): "the ref exists already; fetch first"
            case (_, nil): "the ref does not exist any more; fetch first"
            default: "the ref was moved since; fetch first"
            }
        }
        guard update.new != nil, update.old == nil else { return nil }
        if let other = shadow.conflict(with: update.name) { return "conflicts with \(other) in the same push" }
        return try storedConflict(with: update.name, shadow).map { "conflicts with the existing ref \($0)" }
    }

    /// A stored ref in the way of `name` that this push does not delete.
    private func storedConflict(with name: ReferenceName, _ shadow: NameShadow) throws -> String? {
        // One more than are deleted, so that one that stays is among them if there is any.
        try ReferenceRow.conflicts(with: name, limit: shadow.deleted.count + 1, of: push.repository, in: db)
            .first { !shadow.deleted.contains($0) }
    }

    private func apply(_ update: ReferenceUpdate) throws {
        guard update.old != update.new else { return }
        if let new = update.new {
            try ReferenceRow.set(update.name, to: new, peeled: update.peeled, of: push.repository, in: db)
        } else {
            try ReferenceRow.delete(update.name, of: push.repository, in: db)
        }
        try db.run(
            """
            INSERT INTO reflog (repository_id, name, old_oid, new_oid, actor, account_id, at)
            VALUES (?, ?, ?, ?, ?, (SELECT id FROM accounts WHERE id = ?), ?)
            """, [push.repository, update.name.text, update.old, update.new, push.actor, push.account, now])
    }

    /// True when the set of packs changed.
    private func add(_ pack: PackDescription, to head: RepositoryHead, areAllUpdated: Bool) throws -> Bool {
        // What was checked against an older set of packs may be in one that came since.
        let isDisjoint = pack.isDisjoint && push.expectedPackGeneration == head.packGeneration
        let generation = head.packGeneration + 1
        let added = try PackRow.add(
            pack, isDisjoint: isDisjoint, isFullyReachable: pack.isFullyReachable && areAllUpdated,
            generation: generation,
            at: now, to: push.repository, in: db)
        if added {
            try db.run("UPDATE repositories SET pack_generation = ? WHERE id = ?", [generation, push.repository])
        }
        return added
    }

    private func isReachable(_ updated: Int) -> Bool {
        push.pack.map { $0.isFullyReachable && updated == push.updates.count } ?? true
    }

    private func chooseDefaultBranch(instead current: String) throws {
        guard let wanted = push.newDefaultBranch, wanted != current else { return }
        guard try ReferenceRow.oid(of: "refs/heads/" + current, of: push.repository, in: db) == nil else { return }
        guard try ReferenceRow.oid(of: "refs/heads/" + wanted, of: push.repository, in: db) != nil else { return }
        try db.run("UPDATE repositories SET default_branch = ? WHERE id = ?", [wanted, push.repository])
    }

    private func audit(_ updates: [ReferenceUpdate]) throws {
        var entry = push.audit
        for update in updates.prefix(20) {
            entry.detail[update.name.text] = "\(update.old?.hex ?? "none") to \(update.new?.hex ?? "none")"
        }
        if updates.count > 20 { entry.detail["refs"] = String(updates.count) }
        try AuditChain.append(entry, at: now, in: db)
    }
}

/// What the earlier commands of the same push make and delete.
private struct NameShadow {
    private(set) var deleted: Set<String> = []
    private var created: Set<String> = []
    /// All folders of what is created.
    private var folders: [String: String] = [:]

    mutating func note(_ update: ReferenceUpdate) {
        let name = update.name.text
        guard update.new != nil else {
            deleted.insert(name)
            return
        }
        guard update.old == nil else { return }
        created.insert(name)
        for folder in Self.folders(of: name) { folders[folder] = name }
    }

    func conflict(with name: ReferenceName) -> String? {
        folders[name.text] ?? Self.folders(of: name.text).first { created.contains($0) }
    }

    private static func folders(of name: String) -> [String] {
        name.utf8.indices.filter { name.utf8[$0] == UInt8(ascii: "/") }.map { String(name[..<$0]) }
    }
}
