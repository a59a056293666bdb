import GitStore
import HubCore
import Repositories

/// Files and folders as `tree`, `paths-info` and repository info show them. hf-hub-api §3 and §5.
struct FileJSON: Sendable {
    let xetHashes: [ObjectID: String]
    var lastCommits: [String: GitObjects.NamedCommit] = [:]

    /// An item of a tree.
    func item(_ file: FileEntry) -> JSON {
        guard !file.isFolder else {
            return withCommit(
                ["type": "directory", "oid": .string(file.oid.hex), "size": 0, "path": .string(file.path)], file)
        }
        var item: JSON = [
            "type": "file", "oid": .string(file.oid.hex), "size": .integer(file.sizeBytes), "path": .string(file.path),
        ]
        if let pointer = file.pointer {
            item = item.adding(
                "lfs",
                [
                    "oid": .string(pointer.oid.hex), "size": .integer(pointer.sizeBytes),
                    "pointerSize": .integer(file.blobBytes),
                ])
            if let hash = xetHashes[pointer.oid] { item = item.adding("xetHash", .string(hash)) }
        }
        return withCommit(item, file)
    }

    /// A sibling with its blob.
    static func sibling(_ file: FileEntry) -> JSON {
        let sibling: JSON = [
            "rfilename": .string(file.path), "size": .integer(file.sizeBytes), "blobId": .string(file.oid.hex),
        ]
        guard let pointer = file.pointer else { return sibling }
        return sibling.adding(
            "lfs",
            [
                "sha256": .string(pointer.oid.hex), "size": .integer(pointer.sizeBytes),
                "pointerSize": .integer(file.blobBytes),
            ])
    }

    private func withCommit(_ item: JSON, _ file: FileEntry) -> JSON {
        guard let last = lastCommits[file.path] else { return item }
        return item.adding(
            "lastCommit",
            [
                "id": .string(last.oid.hex), "title": .string(CommitText(last.commit).title),
                "date": .string(HubTime.text(seconds: last.commit.committerTime)),
            ])
    }
}

/// The readable parts of a commit.
package struct CommitText {
    package let title: String
    /// All after the title.
    let body: String
    package let author: String
    let email: String
    /// Since 1970.
    package let seconds: Int64

    package init(_ commit: GitCommit) {
        seconds = commit.committerTime
        let message = String(decoding: commit.message, as: UTF8.self)
        let end = message.firstIndex(of: "\n") ?? message.endIndex
        title = String(message[..<end])
        body = String(message[end...]).trimmingEnds
        let line = String(decoding: commit.author, as: UTF8.self)
        let open = line.firstIndex(of: "<") ?? line.endIndex
        author = String(line[..<open]).trimmingEnds
        let rest = open < line.endIndex ? line[line.index(after: open)...] : ""
        email = String(rest.prefix { $0 != ">" })
    }
}

extension String {
    /// Without white space at either end.
    var trimmingEnds: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
