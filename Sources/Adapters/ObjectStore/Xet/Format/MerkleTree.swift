import HubCore

/// The tree over chunk hashes whose root names a xorb or, hashed once more, a file.
///
/// Source: *Xet specification, "Hashing"*.
///
/// Each level is cut into groups of up to nine nodes: from the third node on, the first whose hash is divisible by four ends its
/// group. A node is the hash of its children's lines `<hex> : <length>\n`. Levels are worked off as nodes arrive, so a tree over any
/// number of chunks needs a few kilobytes.
struct MerkleTree {
    private struct Node {
        let hash: XetHash
        let length: UInt64
    }

    private struct Level {
        /// The nodes of the group that is not decided yet.
        var open: [Node] = []
        /// Whether more than one node has come to this level.
        var hasSeveral = false
    }

    private static let largestGroup = 9
    private var levels: [Level] = [Level()]
    private let hasher = KeyedBlake3(.node)
    private(set) var totalBytes: UInt64 = 0

    mutating func append(_ chunk: XetHash, length: Int) {
        totalBytes += UInt64(length)
        add(Node(hash: chunk, length: UInt64(length)), to: 0)
    }

    /// The root over all chunks; zero for none.
    ///
    /// The tree takes no more.
    mutating func finish() -> XetHash {
        var level = 0
        while level < levels.count {
            if !levels[level].hasSeveral { return levels[level].open.first?.hash ?? .zero }
            if !levels[level].open.isEmpty { close(level) }
            level += 1
        }
        return .zero
    }

    /// The root as the hash of a file.
    mutating func finishFile() -> XetHash {
        guard totalBytes > 0 else { return .zero }
        return KeyedBlake3.hash(of: finish(), key: .file)
    }

    private mutating func add(_ node: Node, to level: Int) {
        if level == levels.count { levels.append(Level()) }
        // A group that is full is closed only when its level is known to have more than one node.
        if !levels[level].open.isEmpty { levels[level].hasSeveral = true }
        levels[level].open.append(node)
        let count = levels[level].open.count
        if count == Self.largestGroup || (count > 2 && node.hash.lastWord % 4 == 0) { close(level) }
    }

    private mutating func close(_ level: Int) {
        let nodes = levels[level].open
        levels[level].open.removeAll(keepingCapacity: true)
        var length: UInt64 = 0
        var line: [UInt8] = []
        for node in nodes {
            length += node.length
            line.removeAll(keepingCapacity: true)
            node.hash.appendHex(to: &line)
            line.append(contentsOf: " : \(node.length)\n".utf8)
            hasher.update(line)
        }
        add(Node(hash: hasher.finish(), length: length), to: level + 1)
    }
}
