import GitStore
import HubCore

/// The text that `git diff` writes for the changes between two trees, within bounds.
struct UnifiedDiff {
    /// Files, bytes of the text, and bytes of one file that is compared; what is beyond is named and not shown.
    static let maximumFiles = 300
    static let maximumBytes = 2 << 20
    static let maximumFileBytes: Int64 = 512 << 10
    private static let contextLines = 3

    private let objects: GitObjects
    private var output: [UInt8] = []

    /// Blocking; call on git's threads.
    static func text(from old: GitOID?, to new: GitOID?, in objects: GitObjects) throws -> String {
        var diff = UnifiedDiff(objects: objects)
        let changes = try objects.changes(from: old, to: new, limit: maximumFiles + 1)
        for change in changes.prefix(maximumFiles) {
            try Task.checkCancellation()
            guard diff.output.count < maximumBytes else { break }
            try diff.add(change)
        }
        return String(decoding: diff.output, as: UTF8.self)
    }

    private init(objects: GitObjects) { self.objects = objects }

    private mutating func add(_ change: TreeChange) throws {
        let (left, right) = (Self.quoted("a/" + change.path), Self.quoted("b/" + change.path))
        write("diff --git \(left) \(right)\n")
        writeModes(change)
        guard change.old?.oid != change.new?.oid else { return }
        let contents = (try content(change.old), try content(change.new))
        let names = (change.old == nil ? "/dev/null" : left, change.new == nil ? "/dev/null" : right)
        guard let before = contents.0, let after = contents.1 else {
            return write("Binary files \(names.0) and \(names.1) differ\n")
        }
        guard before != after else { return }
        write("--- \(names.0)\n+++ \(names.1)\n")
        writeHunks(before, after)
    }

    private mutating func writeModes(_ change: TreeChange) {
        let oids = "\(Self.short(change.old))..\(Self.short(change.new))"
        switch (change.old?.mode, change.new?.mode) {
        case (nil, let mode?): write("new file mode \(Self.octal(mode))\nindex \(oids)\n")
        case (let mode?, nil): write("deleted file mode \(Self.octal(mode))\nindex \(oids)\n")
        case (let old?, let new?) where old != new:
            write("old mode \(Self.octal(old))\nnew mode \(Self.octal(new))\n")
            if change.old?.oid != change.new?.oid { write("index \(oids)\n") }
        case (let mode?, _): write("index \(oids) \(Self.octal(mode))\n")
        case (nil, nil): break
        }
    }

    /// `nil` for what is no text or too large to be compared.
    private func content(_ entry: GitTreeEntry?) throws -> [UInt8]? {
        guard let entry else { return [] }
        if entry.isGitlink { return Array("Subproject commit \(entry.oid)\n".utf8) }
        guard let header = try objects.header(of: entry.oid), header.sizeBytes <= Self.maximumFileBytes else { return nil }
        let bytes = try objects.read(entry.oid, limit: Self.maximumFileBytes).bytes
        // As git tells binary files: a NUL among the first 8,000 bytes.
        return bytes.prefix(8000).contains(0) ? nil : bytes
    }

    // MARK: Hunks

    private mutating func writeHunks(_ before: [UInt8], _ after: [UInt8]) {
        let (old, new) = (Self.lines(before), Self.lines(after))
        let changes = LineDiff.changes(from: old, to: new)
        var index = 0
        while index < changes.count, output.count < Self.maximumBytes {
            // Changes whose surroundings touch share a hunk.
            var last = index
            while last + 1 < changes.count,
                changes[last + 1].old.lowerBound - changes[last].old.upperBound <= 2 * Self.contextLines
            { last += 1 }
            writeHunk(Array(changes[index...last]), old, new)
            index = last + 1
        }
    }

    private mutating func writeHunk(_ changes: [LineDiff.Change], _ old: [ArraySlice<UInt8>], _ new: [ArraySlice<UInt8>]) {
        guard let first = changes.first, let last = changes.last else { return }
        let before = min(Self.contextLines, first.old.lowerBound)
        let after = min(Self.contextLines, old.count - last.old.upperBound)
        let oldRange = first.old.lowerBound - before..<last.old.upperBound + after
        let newRange = first.new.lowerBound - before..<last.new.upperBound + after
        write("@@ -\(Self.place(oldRange)) +\(Self.place(newRange)) @@\n")
        var position = oldRange.lowerBound
        for change in changes {
            for line in old[position..<change.old.lowerBound] { write(" ", line) }
            for line in old[change.old] { write("-", line) }
            for line in new[change.new] { write("+", line) }
            position = change.old.upperBound
        }
        for line in old[position..<oldRange.upperBound] { write(" ", line) }
    }

    /// `12,3`, `12` for one line, `11,0` for none before line 12.
    private static func place(_ range: Range<Int>) -> String {
        switch range.count {
        case 0: "\(range.lowerBound),0"
        case 1: "\(range.lowerBound + 1)"
        default: "\(range.lowerBound + 1),\(range.count)"
        }
    }

    /// Each with its line feed, which the last one may lack.
    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0a).map { $0 + 1 } ?? bytes.count
            lines.append(bytes[start..<end])
            start = end
        }
        return lines
    }

    private mutating func write(_ mark: String, _ line: ArraySlice<UInt8>) {
        output += mark.utf8
        output += line
        if line.last != 0x0a { output += "\n\\ No newline at end of file\n".utf8 }
    }

    private mutating func write(_ text: String) { output += text.utf8 }

    private static func short(_ entry: GitTreeEntry?) -> String { String((entry?.oid ?? .zero).hex.prefix(10)) }

    private static func octal(_ mode: UInt32) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// As git quotes names that hold other than printable ASCII (`core.quotePath`).
    private static func quoted(_ path: String) -> String {
        guard path.utf8.contains(where: { $0 < 0x20 || $0 >= 0x7f || $0 == 0x22 || $0 == 0x5c }) else { return path }
        var text = "\""
        for byte in path.utf8 {
            switch byte {
            case 0x22: text += "\\\""
            case 0x5c: text += "\\\\"
            case 0x09: text += "\\t"
            case 0x0a: text += "\\n"
            case 0x20..<0x7f: text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 8)
                text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            }
        }
        return text + "\""
    }
}
