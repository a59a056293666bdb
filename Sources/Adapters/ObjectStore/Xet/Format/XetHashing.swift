import HubCore

/// The hashes that name a list of chunks.
package enum XetHashing {
    /// The name of a xorb of these chunks.
    package static func xorb(of chunks: some Sequence<XetChunk>) -> XetHash {
        var tree = tree(over: chunks)
        return tree.finish()
    }

    /// The name of a file of these chunks.
    package static func file(of chunks: some Sequence<XetChunk>) -> XetHash {
        var tree = tree(over: chunks)
        return tree.finishFile()
    }

    /// What proves that its sender has the content of a term of these chunks.
    package static func termCheck(of chunks: some Sequence<XetChunk>) -> XetHash {
        let hasher = KeyedBlake3(.term)
        for chunk in chunks { hasher.update(chunk.hash) }
        return hasher.finish()
    }

    /// The chunks that a client cuts this content into.
    package static func chunks(of content: [UInt8]) -> [XetChunk] {
        let chunker = GearChunker()
        var chunks: [XetChunk] = []
        content.withUnsafeBytes { chunker.feed($0) { chunks.append($0) } }
        if let last = chunker.finish() { chunks.append(last) }
        return chunks
    }

    private static func tree(over chunks: some Sequence<XetChunk>) -> MerkleTree {
        var tree = MerkleTree()
        for chunk in chunks { tree.append(chunk.hash, length: chunk.length) }
        return tree
    }
}
