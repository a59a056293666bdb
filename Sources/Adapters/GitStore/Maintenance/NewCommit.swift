import HubCore

/// Who made a commit or tag, and when.
package struct GitSignature: Sendable, Hashable {
    package let name: String
    package let email: String
    /// Seconds since 1970.
    package let time: Int64
    /// Minutes east of UTC.
    package let zoneMinutes: Int

    package init(name: String, email: String, time: Int64, zoneMinutes: Int = 0) {
        self.name = name
        self.email = email
        self.time = time
        self.zoneMinutes = zoneMinutes
    }

    /// `Name <email> 1700000000 +0100`.
    ///
    /// What would break the line is left out, as git itself does.
    var line: String {
        let person = Self.clean(name)
        let minutes = min(max(zoneMinutes, -1439), 1439)
        let zone = Self.twoDigits(abs(minutes) / 60) + Self.twoDigits(abs(minutes) % 60)
        return
            "\(person.isEmpty ? "unknown" : person) <\(Self.clean(email))> \(max(0, time)) \(minutes < 0 ? "-" : "+")\(zone)"
    }

    private static func clean(_ text: String) -> String {
        var scalars = Array(text.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 && $0 != "<" && $0 != ">" })
        let ends: Set<Unicode.Scalar> = [" ", ".", ",", ":", ";", "\"", "\\", "'"]
        while let last = scalars.last, ends.contains(last) { scalars.removeLast() }
        let start = scalars.firstIndex { !ends.contains($0) } ?? scalars.endIndex
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[start...])
        return String(view)
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

/// A commit to be made.
package struct NewCommit: Sendable, Hashable {
    package let tree: GitOID
    package let parents: [GitOID]
    package let author: GitSignature
    package let committer: GitSignature
    package let message: String

    package init(tree: GitOID, parents: [GitOID], author: GitSignature, committer: GitSignature? = nil, message: String)
    {
        self.tree = tree
        self.parents = parents
        self.author = author
        self.committer = committer ?? author
        self.message = message
    }

    var encoded: [UInt8] {
        var text = "tree \(tree)\n"
        for parent in parents { text += "parent \(parent)\n" }
        text += "author \(author.line)\ncommitter \(committer.line)\n\n"
        return Array(text.utf8) + NewMessage.encode(message)
    }
}

/// An annotated tag to be made.
package struct NewTag: Sendable, Hashable {
    package let target: GitOID
    package let targetType: GitObjectType
    /// Without `refs/tags/`.
    package let name: String
    package let tagger: GitSignature
    package let message: String

    package init(target: GitOID, targetType: GitObjectType, name: String, tagger: GitSignature, message: String) {
        self.target = target
        self.targetType = targetType
        self.name = name
        self.tagger = tagger
        self.message = message
    }

    var encoded: [UInt8] {
        let head = "object \(target)\ntype \(targetType.name)\ntag \(name)\ntagger \(tagger.line)\n\n"
        return Array(head.utf8) + NewMessage.encode(message)
    }
}

/// The text of a commit or tag as git stores it.
private enum NewMessage {
    /// Without NUL, and ending in a line feed unless it is empty.
    static func encode(_ message: String) -> [UInt8] {
        var bytes = message.utf8.filter { $0 != 0 }
        if let last = bytes.last, last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
        return bytes
    }
}
