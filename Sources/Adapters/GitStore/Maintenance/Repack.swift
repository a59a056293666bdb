import HubCore

/// Which packs of a repository to merge, and whether to leave out what nothing refers to any more.
package struct RepackPlan: Sendable {
    /// Drops objects that cannot be reached.
    package struct Cleaning: Sendable, Hashable {
        /// The values of all refs, and whatever else must stay with all that it names.
        package let tips: [GitOID]
        /// Packs that are old enough: an object that only these hold and nothing reaches is dropped.
        ///
        /// What younger packs hold stays, with all that it names, as a push in progress may rely on it.
        package let droppable: Set<PackID>

        package init(tips: [GitOID], droppable: Set<PackID>) {
            self.tips = tips
            self.droppable = droppable
        }
    }

    package let repository: RepositoryUID
    /// All packs that rows name.
    package let packs: [PackDescription]
    /// Those to merge; the others stay as they are.
    package let merged: Set<PackID>
    /// Only together with merging all packs.
    package let cleaning: Cleaning?

    /// - Parameter merged: `nil` for all.
    package init(
        repository: RepositoryUID, packs: [PackDescription], merging merged: Set<PackID>? = nil,
        cleaning: Cleaning? = nil
    ) {
        self.repository = repository
        self.packs = packs
        let all = Set(packs.map(\.id))
        self.merged = merged?.intersection(all) ?? all
        precondition(cleaning == nil || self.merged == all, "objects are dropped only when all packs are merged")
        self.cleaning = cleaning
    }
}

/// What a repack made.
///
/// Publish `pack`, then replace the rows of `replaced` by its description in one transaction.
package struct RepackResult: Sendable {
    /// `nil` when nothing is left to store.
    package let pack: ReceivedPack?
    package let replaced: [PackID]
    /// Objects that no pack holds any more once the rows are replaced.
    package let droppedObjects: Int
    /// Objects were kept that the tips do not reach; `nil` when nobody looked.
    package let hasUnreachable: Bool?
}

extension GitStore {
    /// Merges packs into one, in quarantine.
    ///
    /// Nothing changes for readers before the rows are replaced.
    ///
    /// - Parameter isCancelled: Asked often; true ends the work with `.cancelled`.
    package func repack(
        _ plan: RepackPlan, isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws(GitStoreError) -> RepackResult {
        let objects = try objects(of: plan.repository, packs: plan.packs)
        var work = RepackWork(plan: plan, objects: objects, isCancelled: isCancelled)
        return try work.run(staging: staging)
    }
}

/// One repack while it runs.
private struct RepackWork {
    let plan: RepackPlan
    let objects: GitObjects
    let isCancelled: @Sendable () -> Bool
    private var droppedObjects = 0
    private var hasUnreachable: Bool?

    init(plan: RepackPlan, objects: GitObjects, isCancelled: @escaping @Sendable () -> Bool) {
        self.plan = plan
        self.objects = objects
        self.isCancelled = isCancelled
    }

    private var sources: [Int] { objects.opened.indices.filter { plan.merged.contains(objects.opened[$0].id) } }

    mutating func run(staging: String) throws(GitStoreError) -> RepackResult {
        let staying = try findStaying()
        let selected = try select(staying: staying)
        let replaced = plan.packs.map(\.id).filter { plan.merged.contains($0) }
        guard selected.count > 0 else {
            return RepackResult(
                pack: nil, replaced: replaced, droppedObjects: droppedObjects, hasUnreachable: hasUnreachable)
        }
        let isFullyReachable =
            hasUnreachable.map { !$0 } ?? plan.packs.allSatisfy { !plan.merged.contains($0.id) || $0.isFullyReachable }
        let folder = try QuarantineFolder(in: staging)
        let file = try OutputFile(creating: folder.path + "/pack")
        var merger = PackMerger(
            objects, sources: sources, selected: selected, staying: staying, isCancelled: isCancelled)
        let output = try merger.write(to: file)
        let description = PackDescription(
            id: PackID(output.checksum), objectCount: output.entries.count, sizeBytes: file.sizeBytes,
            bodyEnd: output.bodyEnd, ownObjectCount: output.ownCount, isDisjoint: true,
            isFullyReachable: isFullyReachable)
        try folder.store(output.entries, description)
        let pack = try ReceivedPack(
            repository: plan.repository, description: description, folder: folder,
            pack: Pack(description, folder: folder.path), tips: [], objects: objects, pointers: [])
        return RepackResult(
            pack: pack, replaced: replaced.filter { $0 != description.id }, droppedObjects: droppedObjects,
            hasUnreachable: hasUnreachable)
    }

    /// The objects that have their home in packs that are not merged.
    private func findStaying() throws(GitStoreError) -> ObjectSet {
        var staying = try ObjectSet(capacity: objects.objectCount)
        for ordinal in objects.opened.indices where !plan.merged.contains(objects.opened[ordinal].id) {
            objects.forEachObject(ofPack: ordinal, homesOnly: true) { staying.insert($0) }
        }
        return staying
    }

    /// The objects that the new pack is to be the home of.
    private mutating func select(staying: borrowing ObjectSet) throws(GitStoreError) -> ObjectSet {
        if let cleaning = plan.cleaning { return try selectReachable(cleaning) }
        var selected = try ObjectSet(capacity: objects.objectCount)
        for ordinal in sources {
            objects.forEachObject(ofPack: ordinal, homesOnly: false) { number in
                if !staying.contains(number) { selected.insert(number) }
            }
        }
        return selected
    }

    private mutating func selectReachable(_ cleaning: RepackPlan.Cleaning) throws(GitStoreError) -> ObjectSet {
        let reachable = try objects.reachable(from: cleaning.tips, isCancelled: isCancelled)
        var all = try ObjectSet(capacity: objects.objectCount)
        var young: [GitOID] = []
        for ordinal in objects.opened.indices {
            let isOld = cleaning.droppable.contains(objects.opened[ordinal].id)
            objects.forEachObject(ofPack: ordinal, homesOnly: false) { number in
                all.insert(number)
                if !isOld, !reachable.contains(number) { young.append(objects.oid(of: number)) }
            }
        }
        guard !young.isEmpty else {
            droppedObjects = all.count - reachable.count
            hasUnreachable = false
            return reachable
        }
        let kept = try objects.reachable(from: cleaning.tips + young, isCancelled: isCancelled)
        droppedObjects = all.count - kept.count
        hasUnreachable = kept.count > reachable.count
        return kept
    }
}

extension GitObjects {
    /// Visits the objects of a pack by the numbers by which they are known in this snapshot.
    ///
    /// - Parameter homesOnly: Without the copies that were appended to complete the pack.
    func forEachObject(ofPack ordinal: Int, homesOnly: Bool, _ visit: (ObjectNumber) -> Void) {
        let index = opened[ordinal].index
        let first = firstNumber(ofPack: ordinal)
        let bodyEnd = bodyEnd(ofPack: ordinal)
        var finder = NumberFinder(self)
        for position in 0..<index.count where !homesOnly || index.offset(at: position) < bodyEnd {
            visit(ordinal == 0 ? first + position : finder.number(of: index.oid(at: position)) ?? first + position)
        }
    }

    /// All that can be reached from these objects, themselves included.
    func reachable(from tips: [GitOID], isCancelled: () -> Bool) throws(GitStoreError) -> ObjectSet {
        let request = FetchRequest(wants: tips)
        let reader = ObjectReader(self, cacheBytes: 32 << 20)
        let selection = try ObjectSelection.of(request, in: self, reader: reader) { (_: Int) throws(GitStoreError) in
            if isCancelled() { throw .cancelled }
        }
        return selection.takeSelected()
    }
}

extension ObjectSelection {
    fileprivate consuming func takeSelected() -> ObjectSet { selected }
}

extension QuarantineFolder {
    /// Writes the index of the pack that lies here as `pack`, and gives both their final names.
    func store(
        _ entries: [PackIndexWriter.Entry], _ description: PackDescription,
        indexWriter: PackIndexWriter = PackIndexWriter()
    ) throws(GitStoreError) {
        let index = try OutputFile(creating: "\(path)/pack-\(description.id).idx")
        try indexWriter.write(entries, checksum: description.id.oid, to: index)
        try rename("pack", to: "pack-\(description.id).pack")
    }
}
