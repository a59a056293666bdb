import HubCore

extension GitObjects {
    /// What a long computation tells its audience.
    package enum PackProgress: Sendable {
        case enumerating(objects: Int, isDone: Bool)
        case total(objects: Int, deltas: Int, reused: Int, reusedDeltas: Int)
    }

    /// Makes the pack that answers a request, on this thread.
    ///
    /// - Parameters:
    ///   - progress: Told what has been done.
    ///   - check: Called often; throws to stop the work.
    ///   - output: Takes the pack's bytes in order, in blocks that are valid during the call only.
    package func writePack(
        _ request: FetchRequest, progress: (PackProgress) -> Void = { _ in },
        check: @escaping () throws(GitStoreError) -> Void = {},
        output: @escaping (UnsafeRawBufferPointer) throws(GitStoreError) -> Void
    ) throws(GitStoreError) {
        let reader = ObjectReader(self, cacheBytes: Self.walkCacheBytes)
        let selection = try ObjectSelection.of(request, in: self, reader: reader, check: check)
        progress(.enumerating(objects: selection.selected.count, isDone: true))
        var writer = PackWriter(
            selection, of: self, reader: reader, isThin: request.isThin, usesOffsetDeltas: request.usesOffsetDeltas,
            output: PackOutput(output), check: check)
        try writer.run()
        let counts = writer.counts
        progress(
            .total(
                objects: counts.objects, deltas: counts.deltas, reused: counts.reused, reusedDeltas: counts.reusedDeltas))
    }

    /// Room for the bases of one walk; versions of a tree are read together, so a little is enough.
    private static let walkCacheBytes = 32 << 20
}
