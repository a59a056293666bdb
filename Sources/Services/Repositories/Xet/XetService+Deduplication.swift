import FoundationEssentials
import HubCore
import Identity
import MetadataStore
import ObjectStore

extension XetService {
    /// How many places of a chunk, and repositories that have an object there, are looked at.
    private static let maximumPlaces = 20
    /// How many xorbs one answer tells of: the one that was asked for and those that follow it in the file.
    private static let answeredXorbs = 4
    /// How far into a file its xorbs are looked for.
    private static let searchedTerms = 20_000

    /// A shard that tells which chunks the hub has where this one is, or `nil`.
    ///
    /// Only chunks of files that the token's holder may read are told, and those only to who has them: their hashes are
    /// given under a key.
    package func deduplication(for chunk: XetHash, access: XetAccess) async throws -> [UInt8]? {
        for place in try await store.xetLandmarks(of: chunk, limit: Self.maximumPlaces) {
            guard try await mayRead(place.oid, access), try await store.xorbState(place.xorb) == .stored else {
                continue
            }
            let table = try await objects.xorbTable(place.xorb)
            // Landmarks are found by a part of the hash.
            guard place.index < table.chunks.count, table.chunks[place.index].hash == chunk else { continue }
            return try await answer(place)
        }
        return nil
    }

    private func mayRead(_ oid: ObjectID, _ access: XetAccess) async throws -> Bool {
        if try await store.object(oid, in: access.repository.id) != nil,
            // Who only proposes changes may not read the files of a gated repository.
            try await identity.may(XetRight.read.action, on: access.repository, by: access.principal)
        { return true }
        for id in try await store.repositories(having: oid, limit: Self.maximumPlaces) {
            guard let repository = try await store.repository(id: id) else { continue }
            if try await identity.may(XetRight.read.action, on: repository, by: access.principal) { return true }
        }
        return false
    }

    private func answer(_ place: XetLandmarkPlace) async throws -> [UInt8]? {
        guard let recipe = try await objects.recipe(of: place.oid) else { return nil }
        var order: [XetHash] = []
        var visible: [XetHash: [Range<Int>]] = [:]
        let terms = try await objects.terms(of: recipe, in: 0..<recipe.sizeBytes, limit: Self.searchedTerms)
        for term in terms {
            if visible[term.xorb] == nil {
                guard term.xorb == place.xorb || (!order.isEmpty && order.count < Self.answeredXorbs) else { continue }
                order.append(term.xorb)
            }
            visible[term.xorb, default: []].append(term.chunks)
        }
        guard !order.isEmpty else { return nil }
        let key = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        let now = clock()
        var writer = ShardWriter(
            key: key, createdAt: now, keyExpiresAt: now.addingTimeInterval(settings.deduplicationLifetime))
        for xorb in order {
            writer.append(xorb, chunks: try await objects.xorbTable(xorb).chunks, visible: visible[xorb] ?? [])
        }
        return writer.finish()
    }
}
