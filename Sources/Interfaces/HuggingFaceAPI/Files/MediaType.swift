/// What a file is served as.
///
/// Never anything that a browser would run as a page of the hub: users' HTML and scripts are plain text.
enum MediaType {
    private static let byExtension: [String: String] = [
        "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
        "bmp": "image/bmp", "avif": "image/avif", "pdf": "application/pdf", "wav": "audio/wav", "mp3": "audio/mpeg",
        "flac": "audio/flac", "ogg": "audio/ogg", "mp4": "video/mp4", "webm": "video/webm", "json": "application/json",
    ]

    private static let text: Set<String> = [
        "txt", "md", "rst", "py", "ipynb", "yaml", "yml", "toml", "ini", "cfg", "csv", "tsv", "jsonl", "ndjson", "xml", "html",
        "htm", "css", "js", "ts", "sh", "c", "h", "cpp", "hpp", "cu", "rs", "go", "java", "swift", "svg", "tex", "jinja", "vocab",
        "merges", "gitattributes", "gitignore", "license", "sql", "r", "lock",
    ]

    static func of(_ path: String, isLarge: Bool) -> String {
        let name = path.split(separator: "/").last ?? ""
        let ending = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
        if let type = byExtension[ending] { return type }
        return !isLarge && text.contains(ending) ? "text/plain; charset=utf-8" : "application/octet-stream"
    }
}
