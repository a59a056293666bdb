import HubCore

/// A commit, as far as the hub looks into it.
package struct GitCommit: Hashable, Sendable {
    package let tree: GitOID
    package let parents: [GitOID]
    /// `Name <email> 1700000000 +0100`, as stored.
    package let author: [UInt8]
    package let committer: [UInt8]
    /// Seconds since 1970; 0 when the line holds none.
    package let committerTime: Int64
    /// What follows the blank line, as stored.
    package let message: [UInt8]

    /// Reads a raw commit.
    ///
    /// Headers that the hub does not use (`encoding`, `gpgsig`, `mergetag`) are passed over.
    package init(parsing bytes: UnsafeRawBufferPointer) throws(GitStoreError) {
        var lines = HeaderLines(bytes)
        guard let tree = lines.oid(after: "tree ") else { throw .malformed("a commit has no tree line") }
        self.tree = tree
        var parents: [GitOID] = []
        while let parent = lines.oid(after: "parent ") { parents.append(parent) }
        self.parents = parents
        guard let author = lines.text(after: "author ") else { throw .malformed("a commit has no author line") }
        self.author = Array(author)
        var committer: UnsafeRawBufferPointer?
        // Old tools wrote more than one author line; the committer is what comes next of its kind.
        while committer == nil, !lines.isAtEnd {
            committer = lines.text(after: "committer ")
            if committer == nil { lines.skipLine() }
        }
        guard let committer else { throw .malformed("a commit has no committer line") }
        self.committer = Array(committer)
        committerTime = Self.time(in: committer)
        while !lines.isAtEnd { lines.skipLine() }
        message = Array(lines.body)
    }

    package init(parsing bytes: [UInt8]) throws(GitStoreError) {
        var result: Result<GitCommit, GitStoreError>?
        bytes.withUnsafeBytes { buffer in
            do throws(GitStoreError) { result = .success(try GitCommit(parsing: buffer)) } catch {
                result = .failure(error)
            }
        }
        guard let result else { throw .malformed("a commit has no tree line") }
        self = try result.get()
    }

    /// Reads only what a walk needs: tree, parents and committer time.
    ///
    /// Allocates nothing unless there are parents.
    static func links(
        in bytes: UnsafeRawBufferPointer, parent: (GitOID) -> Void
    ) throws(GitStoreError) -> (tree: GitOID, committerTime: Int64) {
        var lines = HeaderLines(bytes)
        guard let tree = lines.oid(after: "tree ") else { throw .malformed("a commit has no tree line") }
        while let oid = lines.oid(after: "parent ") { parent(oid) }
        while !lines.isAtEnd {
            if let committer = lines.text(after: "committer ") { return (tree, time(in: committer)) }
            lines.skipLine()
        }
        throw .malformed("a commit has no committer line")
    }

    /// The seconds of a line `Name <email> 1700000000 +0100`.
    private static func time(in line: UnsafeRawBufferPointer) -> Int64 {
        guard let bracket = line.lastIndex(of: UInt8(ascii: ">")) else { return 0 }
        var time: Int64 = 0
        for byte in line[(bracket + 1)...].drop(while: { $0 == UInt8(ascii: " ") }) {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { break }
            let (product, overflow) = time.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(byte & 15))
            guard !overflow, !carry else { return 0 }
            time = sum
        }
        return time
    }
}

/// An annotated tag.
package struct GitTag: Hashable, Sendable {
    package let target: GitOID
    package let targetType: GitObjectType
    package let name: [UInt8]
    /// Absent in tags of git's first months.
    package let tagger: [UInt8]?
    package let message: [UInt8]

    package init(parsing bytes: UnsafeRawBufferPointer) throws(GitStoreError) {
        var lines = HeaderLines(bytes)
        guard let target = lines.oid(after: "object ") else { throw .malformed("a tag has no object line") }
        guard let type = lines.text(after: "type ").flatMap({ GitObjectType(name: $0) }) else {
            throw .malformed("a tag has no valid type line")
        }
        guard let name = lines.text(after: "tag ") else { throw .malformed("a tag has no name line") }
        self.target = target
        targetType = type
        self.name = Array(name)
        tagger = lines.text(after: "tagger ").map { Array($0) }
        while !lines.isAtEnd { lines.skipLine() }
        message = Array(lines.body)
    }

    package init(parsing bytes: [UInt8]) throws(GitStoreError) {
        var result: Result<GitTag, GitStoreError>?
        bytes.withUnsafeBytes { buffer in
            do throws(GitStoreError) { result = .success(try GitTag(parsing: buffer)) } catch {
                result = .failure(error)
            }
        }
        guard let result else { throw .malformed("a tag has no object line") }
        self = try result.get()
    }
}
