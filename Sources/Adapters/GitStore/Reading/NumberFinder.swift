import HubCore

/// Finds objects by name for one walk: in the packs' indexes at first, in the table of all names once the walk proves long.
struct NumberFinder {
    private let objects: GitObjects
    private var table: ObjectTable?
    /// Look-ups until making the table is worth it.
    private var patience: Int

    init(_ objects: GitObjects) {
        self.objects = objects
        table = objects.tableIfMade
        patience = objects.objectCount / 16 / max(1, objects.opened.count) + 1024
    }

    mutating func number(of oid: GitOID) -> ObjectNumber? { number(of: NameWords(oid)) }

    @inline(__always)
    mutating func number(of name: NameWords) -> ObjectNumber? {
        if let table { return table.number(of: name, in: objects) }
        return search(name)
    }

    private mutating func search(_ name: NameWords) -> ObjectNumber? {
        patience -= 1
        if patience < 0 { table = objects.table }
        return objects.search(name)
    }
}
