import Foundation

/// One Swift file under `Sources` or `Tests`, as the layering rules see it.
struct SourceFile {
    /// The folder that holds `Package.swift`.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The path below the root, such as `Sources/Core/HubCore/Names/Identifier.swift`.
    let path: String
    let lines: [Substring]

    init(at url: URL) throws {
        path = String(url.path.dropFirst(Self.root.path.count + 1))
        lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// All Swift files below a folder of the root, in the order of their paths.
    static func all(under folder: String) throws -> [SourceFile] {
        let start = root.appending(path: folder)
        let names = FileManager.default.enumerator(at: start, includingPropertiesForKeys: nil)
        let urls = names?.compactMap { $0 as? URL } ?? []
        return try urls.filter { $0.pathExtension == "swift" }.sorted { $0.path < $1.path }.map(SourceFile.init(at:))
    }

    /// The names of the folders directly in a folder of the root.
    static func folders(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(
            at: root.appending(path: folder), includingPropertiesForKeys: [.isDirectoryKey]
        )
        .filter { try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true }
        .map(\.lastPathComponent).sorted()
    }

    /// The modules that the file imports, with the number of each line, from 1.
    var imports: [(module: String, line: Int)] {
        lines.enumerated().compactMap { index, text in
            guard let found = text.firstMatch(of: Self.importStatement) else { return nil }
            return (String(found.output.module), index + 1)
        }
    }

    /// The numbers of the lines that look like code that someone commented out.
    var commentedCode: [Int] {
        lines.enumerated().compactMap { index, text in
            let comment = text.drop { $0 == " " }
            guard comment.hasPrefix("//"), !comment.hasPrefix("///") else { return nil }
            return comment.firstMatch(of: Self.codeInComment) == nil ? nil : index + 1
        }
    }

    // A Regex is not Sendable, so each use makes its own.
    private static var importStatement: Regex<(Substring, module: Substring)> {
        /^\s*(?:@\w+(?:\(\w+\))?\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(?<module>\w+)/
    }

    private static var codeInComment: Regex<Substring> {
        /^\/\/\s*(?:\}|(?:(?:private|package|static|final|let|var|func|guard|import|struct|class|enum|extension|switch|if|for|while)\s.*[{;]|(?:let|var)\s+\w+\s*[:=].*|(?:return|try|await)\s+\w+[.(].*\)|\w+(?:\.\w+)+\(.*\);?))\s*$/
    }
}
