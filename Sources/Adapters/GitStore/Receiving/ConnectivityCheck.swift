import HubCore

/// Holds a pack against what its objects name: everything must be in the pack or in the repository, and of the right
/// type.
///
/// What the repository has is complete already, because every pack passed this check. So "is there" means "is
/// connected", and no walk over history is needed.
struct ConnectivityCheck {
    let table: PackEntryTable
    /// The pack's own entries by name.
    let order: [Int32]
    let existing: GitObjects
    let stop: StopFlag
    let progress: @Sendable (ReceiveProgress) -> Void

    /// - Returns: whether every object of the pack is one of `tips` or is named by another object of the pack. As
    ///   objects
    ///   cannot name one another in a circle, that means that all can be reached from the tips.
    func run(_ tables: [ReferenceTable], tips: [GitOID]) throws(GitStoreError) -> Bool {
        var isNamed = [Bool](repeating: false, count: order.count)
        let total = tables.reduce(0) { $0 + $1.count }
        var done = 0
        for references in tables {
            try references.forEach { (oid, expected) throws(GitStoreError) in
                done += 1
                if done.isMultiple(of: 65536) {
                    try stop.check()
                    progress(ReceiveProgress(phase: .checkingConnectivity, done: done, total: total))
                }
                if let place = place(of: oid) {
                    isNamed[place] = true
                    try check(oid, expected, found: table[order[place]].type)
                } else {
                    try check(oid, expected, found: existing.header(of: oid)?.type)
                }
            }
        }
        for tip in tips {
            if let place = place(of: tip) {
                isNamed[place] = true
            } else if !existing.contains(tip) {
                throw .refused(.missingObject(tip, nil))
            }
        }
        return isNamed.allSatisfy { $0 }
    }

    private func check(_ oid: GitOID, _ expected: ExpectedTypes, found: GitObjectType?) throws(GitStoreError) {
        guard let found else { throw .refused(.missingObject(oid, expected.types.first)) }
        guard let wrong = expected.types.first(where: { $0 != found }) else { return }
        throw .refused(.wrongType(oid, expected: wrong, found: found))
    }

    /// The place of an object among the names of the pack.
    func place(of oid: GitOID) -> Int? {
        var low = 0
        var high = order.count
        // Names are evenly spread, so the first guess is nearly right; whoever makes them uneven only loses this gain.
        let guess = Int((UInt64(order.count).multipliedFullWidth(by: oid.leadingWord)).high)
        let reach = 64
        if guess - reach >= 0, table[order[guess - reach]].oid <= oid { low = guess - reach }
        if guess + reach < high, oid < table[order[guess + reach]].oid { high = guess + reach }
        while low < high {
            let middle = (low + high) >> 1
            let found = table[order[middle]].oid
            if found == oid { return middle }
            if found < oid { low = middle + 1 } else { high = middle }
        }
        return nil
    }
}
