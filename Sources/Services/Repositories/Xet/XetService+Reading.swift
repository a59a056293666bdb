import FoundationEssentials
import HubCore
import MetadataStore
import NIOCore
import ObjectStore

/// How a client puts a file, or a range of it, together.
package struct XetReconstruction: Sendable {
    /// Chunks of a xorb that are the next bytes of the file.
    package struct Term: Hashable, Sendable {
        package let xorb: XetHash
        package let chunks: Range<Int>
        package let rawBytes: Int
    }

    /// What to fetch of a xorb, and where those chunks lie in it.
    package struct Fetch: Hashable, Sendable {
        package var chunks: Range<Int>
        package var bytes: Range<Int>
    }

    /// How many bytes of the first term come before the range that was asked for.
    package let offsetIntoFirstTerm: Int64
    package let terms: [Term]
    /// By xorb, in order and apart from one another; together they cover every term.
    package let fetches: [(xorb: XetHash, parts: [Fetch])]
}

/// A part of a file that is to be put together, and how many pieces it is in.
package struct XetPlan: Sendable {
    let recipe: OpenRecipe
    let asked: Range<Int64>
    package let termCount: Int
    /// Its answer takes memory: take a turn before it is made.
    package let isLarge: Bool
}

extension XetService {
    private static let maximumTerms = 200_000
    /// Plans of more pieces are made and sent a few at a time, as each takes some memory.
    private static let smallPlanTerms = 4096

    /// What is to be put together: bytes of a file that the token's repository has; to its end if the range is longer.
    /// - Throws: `XetError.fileNotFound`, `.rangeNotSatisfiable`, `.tooManyTerms`.
    package func plan(
        of file: XetHash, range: ClosedRange<Int64>?, for access: XetAccess
    ) async throws -> XetPlan {
        guard let found = try await store.xetFile(file, in: access.repository.id) else { throw XetError.fileNotFound }
        guard let recipe = try await objects.recipe(of: found.oid) else { throw ObjectStoreError.damaged(found.oid) }
        let size = recipe.sizeBytes
        guard (range?.lowerBound ?? 0) < size || (range == nil && size == 0) else {
            throw XetError.rangeNotSatisfiable(sizeBytes: size)
        }
        let asked = (range?.lowerBound ?? 0)..<(range.map { min($0.upperBound, size - 1) + 1 } ?? size)
        let count = try await objects.termCount(of: recipe, in: asked)
        guard count <= Self.maximumTerms else { throw XetError.tooManyTerms(limit: Self.maximumTerms) }
        return XetPlan(recipe: recipe, asked: asked, termCount: count, isLarge: count > Self.smallPlanTerms)
    }

    /// Waits for a turn among the large plans; give it on with `endLargePlan`.
    package func beginLargePlan(for access: XetAccess) async throws { try await planQueue.enter(key(of: access)) }
    package func endLargePlan(for access: XetAccess) { planQueue.leave(key(of: access)) }

    /// How to put together what is planned.
    package func reconstruction(_ plan: XetPlan) async throws -> XetReconstruction {
        let asked = plan.asked
        var terms = try await objects.terms(of: plan.recipe, in: asked, limit: plan.termCount)
        // Only the chunks that the range touches.
        if let last = terms.last { terms[terms.count - 1] = try await trim(last, to: asked) }
        if let first = terms.first { terms[0] = try await trim(first, to: asked) }
        return XetReconstruction(
            offsetIntoFirstTerm: terms.first.map { asked.lowerBound - $0.fileOffset } ?? 0,
            terms: terms.map { .init(xorb: $0.xorb, chunks: $0.chunks, rawBytes: $0.rawBytes) },
            fetches: Self.fetches(of: terms))
    }

    private func trim(_ term: RecipeTerm, to range: Range<Int64>) async throws -> RecipeTerm {
        let end = term.fileOffset + Int64(term.rawBytes)
        guard range.lowerBound > term.fileOffset || range.upperBound < end else { return term }
        let table = try await objects.xorbTable(term.xorb)
        guard term.chunks.upperBound <= table.chunks.count else { throw XetStoreError.damagedXorb(term.xorb) }
        return term.trimmed(to: range, table: table)
    }

    /// What to fetch: overlapping and adjoining parts of a xorb are one.
    private static func fetches(of terms: [RecipeTerm]) -> [(xorb: XetHash, parts: [XetReconstruction.Fetch])] {
        var order: [XetHash] = []
        var parts: [XetHash: [XetReconstruction.Fetch]] = [:]
        for term in terms {
            let fetch = XetReconstruction.Fetch(chunks: term.chunks, bytes: term.serializedRange)
            if parts[term.xorb] == nil { order.append(term.xorb) }
            parts[term.xorb, default: []].append(fetch)
        }
        return order.map { xorb in
            let sorted = (parts[xorb] ?? []).sorted { $0.chunks.lowerBound < $1.chunks.lowerBound }
            var merged: [XetReconstruction.Fetch] = []
            for fetch in sorted {
                if let last = merged.last, fetch.chunks.lowerBound <= last.chunks.upperBound {
                    merged[merged.count - 1] = .init(
                        chunks: last.chunks.lowerBound..<max(last.chunks.upperBound, fetch.chunks.upperBound),
                        bytes: last.bytes.lowerBound..<max(last.bytes.upperBound, fetch.bytes.upperBound))
                } else {
                    merged.append(fetch)
                }
            }
            return (xorb, merged)
        }
    }

    // MARK: Bytes of xorbs

    /// The secret part of a link to bytes of a xorb.
    package func link(to grant: XorbGrant) -> String {
        signer.sign(grant, until: clock().addingTimeInterval(settings.linkLifetime))
    }

    package func grant(of link: String) throws -> XorbGrant { try signer.grant(link, now: clock()) }

    /// The xorb of a link; its bytes are read with `bytes`.
    package func table(of grant: XorbGrant) async throws -> XorbTable {
        do {
            let table = try await objects.xorbTable(grant.xorb)
            guard grant.range.upperBound <= table.serializedBytes else { throw XetError.xorbNotFound }
            return table
        } catch XetStoreError.missingXorb {
            throw XetError.xorbNotFound
        }
    }

    package func bytes(of table: XorbTable, _ range: Range<Int>, pieceBytes: Int) -> XorbPieces {
        objects.readXorb(table, range, pieceBytes: pieceBytes)
    }

    /// How long a xorb is as clients get it, if files of the token's repository are made of it.
    package func serializedBytes(of xorb: XetHash, for access: XetAccess) async throws -> Int? {
        guard try await store.usesXorb(xorb, in: access.repository.id) else { return nil }
        return try await objects.xorbTable(xorb).serializedBytes
    }
}
