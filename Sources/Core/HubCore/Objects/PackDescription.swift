/// The checksum that names a pack: the SHA-1 at its end. Its files are `pack-<hex>.pack` and `pack-<hex>.idx`.
package struct PackID: Hashable, Sendable, CustomStringConvertible {
    package let oid: GitOID

    package init(_ oid: GitOID) { self.oid = oid }

    package var description: String { oid.hex }
}

/// What a row says of a pack. Readers open the packs that rows name and no others.
package struct PackDescription: Hashable, Sendable {
    package let id: PackID
    /// All objects in the pack, those included that were appended to complete a thin pack.
    package let objectCount: Int
    /// The size of the `.pack` file.
    package let sizeBytes: Int64
    /// Where the entries end that the pack brought itself: from here to the trailer come copies of objects of other packs,
    /// appended because the pack arrived thin. Equal to `sizeBytes - 20` for a pack that was not thin.
    package let bodyEnd: Int64
    /// The number of entries before `bodyEnd`.
    package let ownObjectCount: Int
    /// No entry before `bodyEnd` was in another pack of the repository when this one was published.
    package let isDisjoint: Bool
    /// Every entry before `bodyEnd` was reachable from the refs that the push set.
    package let isFullyReachable: Bool

    package init(
        id: PackID, objectCount: Int, sizeBytes: Int64, bodyEnd: Int64, ownObjectCount: Int, isDisjoint: Bool,
        isFullyReachable: Bool
    ) {
        self.id = id
        self.objectCount = objectCount
        self.sizeBytes = sizeBytes
        self.bodyEnd = bodyEnd
        self.ownObjectCount = ownObjectCount
        self.isDisjoint = isDisjoint
        self.isFullyReachable = isFullyReachable
    }
}
