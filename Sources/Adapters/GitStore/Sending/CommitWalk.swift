import HubCore

/// Finds the commits that are reachable from some and not from others (git `rev-list A --not B`), newest first.
///
/// It stops soon after all that is left to visit is known to the other side. Clocks that run backwards can only make it find
/// more commits than needed, never fewer.
struct CommitWalk {
    /// What a walk finds, as slots of its graph.
    struct Result {
        /// Commits to send.
        var interesting: [CommitGraph.Slot] = []
        /// Commits of the other side that are parents of those.
        var boundary: [CommitGraph.Slot] = []
    }

    /// Visits of known commits that are made after the last interesting one, as git does (`SLOP` in its revision.c).
    private static let extraVisits = 5

    private struct Flags: OptionSet {
        let rawValue: UInt8
        static let seen = Flags(rawValue: 1)
        static let known = Flags(rawValue: 2)
        static let queued = Flags(rawValue: 4)
        static let boundary = Flags(rawValue: 8)
    }

    private let graph: CommitGraph
    /// Commits that count as having no parents.
    private let cut: Set<ObjectNumber>
    private var flags: [Flags] = []
    private var queue = CommitQueue()
    private var interestingInQueue = 0

    init(_ graph: CommitGraph, cut: Set<ObjectNumber>) {
        self.graph = graph
        self.cut = cut
    }

    /// - Parameter check: Called now and then with the number of objects found; throws to stop the walk.
    mutating func run(
        wants: [ObjectNumber], haves: [ObjectNumber], check: (Int) throws(GitStoreError) -> Void
    ) throws(GitStoreError) -> Result {
        for number in haves { try markKnown(number) }
        for number in wants { try visitLater(try graph.slot(of: number)) }
        var found: [CommitGraph.Slot] = []
        var oldest = Int64.max
        var extra = Self.extraVisits
        while let slot = queue.next() {
            flags[slot].remove(.queued)
            if flags[slot].contains(.known) {
                for parent in parents(of: slot) { try markKnown(Int(parent)) }
            } else {
                interestingInQueue -= 1
                found.append(slot)
                oldest = graph.time(of: slot)
                for parent in parents(of: slot) { try visitLater(try graph.slot(of: Int(parent))) }
            }
            if found.count & 0xff == 0 { try check(found.count) }
            guard interestingInQueue == 0 else { continue }
            extra = queue.nextTime ?? .min >= oldest ? Self.extraVisits : extra - 1
            if extra <= 0 { break }
        }
        return result(found)
    }

    private func parents(of slot: CommitGraph.Slot) -> ArraySlice<UInt32> {
        if !cut.isEmpty, cut.contains(graph.number(of: slot)) { return [] }
        return graph.parents(of: slot)
    }

    private mutating func grow() {
        if flags.count < graph.count { flags.append(contentsOf: repeatElement([], count: graph.count - flags.count)) }
    }

    private mutating func visitLater(_ slot: CommitGraph.Slot) throws(GitStoreError) {
        grow()
        guard !flags[slot].contains(.seen) else { return }
        flags[slot].formUnion([.seen, .queued])
        if !flags[slot].contains(.known) { interestingInQueue += 1 }
        queue.add(slot, time: graph.time(of: slot))
    }

    /// Marks a commit as known and, where they were met before, its ancestors.
    private mutating func markKnown(_ number: ObjectNumber) throws(GitStoreError) {
        let slot = try graph.slot(of: number)
        grow()
        var pending = [slot]
        while let slot = pending.popLast() {
            guard !flags[slot].contains(.known) else { continue }
            flags[slot].insert(.known)
            guard flags[slot].contains(.seen) else {
                try visitLater(slot)
                continue
            }
            if flags[slot].contains(.queued) {
                // Its parents are marked when its turn comes.
                interestingInQueue -= 1
            } else {
                for parent in parents(of: slot) {
                    pending.append(try graph.slot(of: Int(parent)))
                    grow()
                }
            }
        }
    }

    private mutating func result(_ found: [CommitGraph.Slot]) -> Result {
        var result = Result()
        for slot in found where !flags[slot].contains(.known) {
            result.interesting.append(slot)
            for parent in parents(of: slot) {
                // Parents of what was found have been visited, so they are in the graph and this cannot fail.
                guard let parent = try? graph.slot(of: Int(parent)), parent < flags.count else { continue }
                guard flags[parent].contains(.known), !flags[parent].contains(.boundary) else { continue }
                flags[parent].insert(.boundary)
                result.boundary.append(parent)
            }
        }
        return result
    }
}
