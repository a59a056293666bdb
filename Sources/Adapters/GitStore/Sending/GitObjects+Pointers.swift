import HubCore

/// A Git LFS pointer in a repository, and where files have it.
package struct StoredPointer: Sendable, Hashable {
    package let pointer: LFSPointer
    /// A path in the newest commit that has it; `nil` when the bounded search did not come upon one.
    package let path: String?
}

extension GitObjects {
    /// The Git LFS pointers among the objects that answer a request, each large object once.
    ///
    /// - Parameter pathLimit: how many paths are searched for at most.
    package func pointers(
        answering request: FetchRequest, pathLimit: Int, isCancelled: @escaping () -> Bool = { false }
    ) throws(GitStoreError) -> [StoredPointer] {
        let reader = ObjectReader(self, cacheBytes: 32 << 20)
        let selection = try ObjectSelection.of(request, in: self, reader: reader) { _ throws(GitStoreError) in
            if isCancelled() { throw .cancelled }
        }
        var found: [GitOID: LFSPointer] = [:]
        for index in 0..<selection.selected.wordCount {
            if isCancelled() { throw .cancelled }
            var word = selection.selected.word(index)
            while word != 0 {
                let number = index << 6 | word.trailingZeroBitCount
                word &= word - 1
                let header = try reader.header(of: number)
                guard header.type == .blob, header.sizeBytes <= LFSPointer.maximumByteCount else { continue }
                if let pointer = LFSPointer(parsing: try reader.load(number, expecting: .blob)) { found[oid(of: number)] = pointer }
            }
        }
        var search = PathSearch(objects: self, wanted: Set(found.keys), limit: pathLimit)
        let paths = search.run(from: request.wants)
        var seen: Set<ObjectID> = []
        return found.sorted { $0.key < $1.key }.compactMap { blob, pointer in
            seen.insert(pointer.oid).inserted ? StoredPointer(pointer: pointer, path: paths[blob]) : nil
        }
    }
}
