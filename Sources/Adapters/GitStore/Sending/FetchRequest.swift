import HubCore

/// What a client asks for in a fetch or clone, after negotiation (git `gitprotocol-v2(5)`, *fetch*).
package struct FetchRequest: Sendable, Hashable {
    /// Objects of any type; all must be stored.
    package var wants: [GitOID]
    /// What the client has and we have too.
    ///
    /// Names that are not stored are passed over.
    package var haves: [GitOID]
    /// Commits whose parents the client does not have, as it told.
    package var clientShallow: Set<GitOID>
    package var deepen: Deepening?
    package var filter: ObjectFilter?
    /// Deltas may refer to objects that the client has.
    package var isThin: Bool
    /// Deltas may name their base by its distance.
    ///
    /// Every git since 1.4.4 can.
    package var usesOffsetDeltas: Bool
    /// Annotated tags to send along when what they point to is sent (`include-tag`).
    package var tags: [Reference]

    package init(
        wants: [GitOID], haves: [GitOID] = [], clientShallow: Set<GitOID> = [], deepen: Deepening? = nil,
        filter: ObjectFilter? = nil, isThin: Bool = false, usesOffsetDeltas: Bool = true, tags: [Reference] = []
    ) {
        self.wants = wants
        self.haves = haves
        self.clientShallow = clientShallow
        self.deepen = deepen
        self.filter = filter
        self.isThin = isThin
        self.usesOffsetDeltas = usesOffsetDeltas
        self.tags = tags
    }
}

extension FetchRequest {
    /// Whether deltas may be made against what the client has.
    ///
    /// After a filter nobody knows which blobs that is: only `blob:none`, which sends none, leaves trees and commits as bases.
    var allowsThinDeltas: Bool {
        guard isThin, let filter else { return isThin }
        return filter.blobLimit == 0 && filter.treeDepth == nil
    }
}

/// How much history a shallow fetch asks for.
package enum Deepening: Sendable, Hashable {
    /// As many commits from the wants, or with `relative` beyond the client's present boundary. `unlimited` gives everything.
    case depth(Int, relative: Bool)
    /// No commits older than `since` (seconds since 1970) and none that are reachable from `not`.
    case history(since: Int64?, not: [GitOID])

    /// The depth by which clients say "no longer shallow".
    package static let unlimited = 2_147_483_647

    package static func since(_ time: Int64) -> Deepening { .history(since: time, not: []) }
    package static func not(_ excluded: [GitOID]) -> Deepening { .history(since: nil, not: excluded) }
}

/// How a fetch moves the client's shallow boundary: the lines of `shallow-info`.
package struct ShallowUpdate: Sendable, Hashable {
    /// Commits that the client gets without their parents, except those it listed itself.
    package var shallow: [GitOID]
    /// Commits that the client listed and whose parents it now gets.
    package var unshallow: [GitOID]

    package init(shallow: [GitOID] = [], unshallow: [GitOID] = []) {
        self.shallow = shallow
        self.unshallow = unshallow
    }
}
