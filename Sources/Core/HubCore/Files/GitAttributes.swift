/// What `.gitattributes` files say of which files Git LFS keeps. gitattributes(5).
package struct GitAttributes: Sendable {
    package static let fileName = ".gitattributes"

    private struct Rule: Sendable {
        let pattern: AttributePattern
        /// The value of `filter`: `lfs`, another, or `nil` when it is unset.
        let filter: String?
    }

    /// The rules of each file by its folder, `""` for the top.
    private var rules: [String: [Rule]] = [:]

    package init() {}

    /// Adds the rules of the file in `folder`.
    package mutating func add(_ text: String, in folder: String) {
        rules[folder] = text.split(whereSeparator: \.isNewline).compactMap(Self.rule)
    }

    /// Whether Git LFS keeps the file. Of a file's lines the last that matches holds; files in deeper folders come later.
    package func isLargeFile(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        var isLarge = false
        for depth in 0..<parts.count {
            let folder = parts[..<depth].joined(separator: "/")
            guard let rules = rules[folder] else { continue }
            let below = parts[depth...].joined(separator: "/")
            if let rule = rules.last(where: { $0.pattern.matches(below) }) { isLarge = rule.filter == "lfs" }
        }
        return isLarge
    }

    /// A line that makes Git LFS keep the file, as `git lfs track` writes it.
    package static func line(for path: String) -> String {
        var pattern = ""
        for scalar in path.unicodeScalars {
            switch scalar {
            case " ": pattern += "[[:space:]]"
            case "*", "?", "[", "]", "\\": pattern += "\\" + String(scalar)
            default: pattern.unicodeScalars.append(scalar)
            }
        }
        // A leading slash holds it to this file; it also keeps `#` and `!` from being read as something else.
        return "/\(pattern) filter=lfs diff=lfs merge=lfs -text"
    }

    private static func rule(_ line: Substring) -> Rule? {
        let trimmed = line.drop { $0 == " " || $0 == "\t" }
        guard !trimmed.hasPrefix("#"), !trimmed.hasPrefix("[attr]"), !trimmed.hasPrefix("!") else { return nil }
        guard let (pattern, rest) = split(trimmed) else { return nil }
        var filter: String??
        for word in rest.split(whereSeparator: { $0 == " " || $0 == "\t" }) {
            if word.hasPrefix("filter=") {
                filter = .some(String(word.dropFirst(7)))
            } else if word == "-filter" || word == "!filter" || word == "filter" {
                filter = .some(nil)
            }
        }
        guard let filter else { return nil }
        return Rule(pattern: AttributePattern(pattern), filter: filter)
    }

    /// The pattern, which may be in quotes, and what follows it.
    private static func split(_ line: Substring) -> (pattern: String, rest: Substring)? {
        guard line.hasPrefix("\"") else {
            let end = line.firstIndex { $0 == " " || $0 == "\t" } ?? line.endIndex
            return end == line.startIndex ? nil : (String(line[..<end]), line[end...])
        }
        var pattern = ""
        var index = line.index(after: line.startIndex)
        while index < line.endIndex, line[index] != "\"" {
            if line[index] == "\\", line.index(after: index) < line.endIndex { index = line.index(after: index) }
            pattern.append(line[index])
            index = line.index(after: index)
        }
        return index < line.endIndex ? (pattern, line[line.index(after: index)...]) : nil
    }
}

/// Which files are large by their names, where no `.gitattributes` says so. After the Hub's own templates.
package enum LargeFilePatterns {
    /// Larger files are large whatever their names.
    package static let thresholdBytes: Int64 = 10 << 20

    private static let everywhere = [
        "*.7z", "*.arrow", "*.bin", "*.bz2", "*.ckpt", "*.ftz", "*.gguf", "*.gz", "*.h5", "*.joblib", "*.lfs.*",
        "*.mlmodel",
        "*.model", "*.msgpack", "*.npy", "*.npz", "*.onnx", "*.ot", "*.parquet", "*.pb", "*.pickle", "*.pkl", "*.pt",
        "*.pth",
        "*.rar", "*.safetensors", "saved_model/**/*", "*.tar.*", "*.tar", "*.tflite", "*.tgz", "*.wasm", "*.xz",
        "*.zip", "*.zst",
        "*tfevents*",
    ]
    private static let media = [
        "*.lz4", "*.mds", "*.pcm", "*.sam", "*.raw", "*.aac", "*.flac", "*.mp3", "*.ogg", "*.wav", "*.bmp", "*.gif",
        "*.png",
        "*.tiff", "*.jpg", "*.jpeg", "*.webp", "*.mp4", "*.webm",
    ]

    /// The `.gitattributes` of a new repository.
    package static func attributes(for kind: RepositoryKind) -> String {
        let patterns = kind == .dataset ? everywhere + media : everywhere
        return patterns.map { "\($0) filter=lfs diff=lfs merge=lfs -text\n" }.joined()
    }
}
