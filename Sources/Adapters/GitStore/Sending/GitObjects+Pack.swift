import HubCore

extension GitObjects {
    /// Makes the pack that answers a request, on this thread.
    ///
    /// - Parameters:
    ///   - progress: Told how far the work is; throws to stop it.
    ///   - output: Takes the pack's bytes in order, in blocks that are valid during the call only.
    package func writePack(
        _ request: FetchRequest, progress: @escaping (PackStep) throws(GitStoreError) -> Void = { _ in },
        output: @escaping (UnsafeRawBufferPointer) throws(GitStoreError) -> Void
    ) throws(GitStoreError) {
        let reader = ObjectReader(self, cacheBytes: Self.walkCacheBytes)
        let selection = try ObjectSelection.of(request, in: self, reader: reader) { objects throws(GitStoreError) in
            try progress(.enumerating(objects: objects))
        }
        let total = selection.selected.count
        try progress(.enumerated(objects: total))
        var writer = PackWriter(
            selection, of: self, reader: reader, isThin: request.allowsThinDeltas, usesOffsetDeltas: request.usesOffsetDeltas,
            output: PackOutput(output),
            check: { objects throws(GitStoreError) in try progress(.writing(objects: objects)) })
        try writer.run()
        let counts = writer.counts
        try progress(
            .done(
                objects: counts.objects, deltas: counts.deltas, reused: counts.reused, reusedDeltas: counts.reusedDeltas
            ))
    }

    /// Room for the bases of one walk; versions of a tree are read together, so a little is enough.
    private static let walkCacheBytes = 32 << 20
}
