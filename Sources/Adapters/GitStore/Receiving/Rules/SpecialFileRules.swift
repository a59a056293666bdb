/// The rules for the content of `.gitmodules` and `.gitattributes` (git `fsck.c`, `fsck_blob`).
///
/// They keep from users of older gits what those would run or overwrite: names with `..`, addresses and paths that
/// look like options, addresses with line feeds, `update = !command`, attribute lines that overflow.
enum SpecialFileRules {
    private static let maximumAttributeLine = 2048

    static func check(gitattributes bytes: UnsafeRawBufferPointer) throws(RuleViolation) {
        for line in bytes.split(separator: UInt8(ascii: "\n")) where line.count >= maximumAttributeLine {
            throw RuleViolation("gitattributesLineLength", ".gitattributes has too long lines to parse")
        }
    }

    static func check(gitmodules bytes: UnsafeRawBufferPointer) throws(RuleViolation) {
        var reader = GitConfigReader(bytes)
        while let setting = reader.next() {
            guard setting.section == "submodule", let name = setting.subsection else { continue }
            if !isValid(name: name) { throw RuleViolation("gitmodulesName", "disallowed submodule name") }
            guard let value = setting.value else { continue }
            switch setting.key {
            case "url":
                if !isValid(url: value) { throw RuleViolation("gitmodulesUrl", "disallowed submodule url") }
            case "path":
                if looksLikeOption(value) { throw RuleViolation("gitmodulesPath", "disallowed submodule path") }
            case "update":
                if value.first == UInt8(ascii: "!") {
                    throw RuleViolation("gitmodulesUpdate", "disallowed submodule update setting")
                }
            default: continue
            }
        }
    }

    /// Not empty, and no part between slashes of either kind is `..`.
    private static func isValid(name: [UInt8]) -> Bool {
        guard !name.isEmpty else { return false }
        return name.split { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }.allSatisfy {
            !$0.elementsEqual("..".utf8)
        }
    }

    private static func looksLikeOption(_ value: [UInt8]) -> Bool { value.first == UInt8(ascii: "-") }

    private static func isValid(url: [UInt8]) -> Bool {
        if looksLikeOption(url) { return false }
        let text = String(decoding: url, as: UTF8.self)
        if text.hasPrefix("./") || text.hasPrefix("../") || text.hasPrefix(".\\") || text.hasPrefix("..\\")
            || text.hasPrefix("git://")
        {
            if decodingPercents(url).contains(UInt8(ascii: "\n")) { return false }
            return !escapesRoot(url)
        }
        for prefix in ["http::", "https::", "ftp::", "ftps::"] where text.hasPrefix(prefix) {
            return isValid(webAddress: text.dropFirst(prefix.count))
        }
        for prefix in ["http://", "https://", "ftp://", "ftps://"] where text.hasPrefix(prefix) {
            return isValid(webAddress: text[...])
        }
        return true
    }

    /// Has a host, and no line feed however it is written.
    private static func isValid(webAddress: Substring) -> Bool {
        let scheme = webAddress.prefix { $0 != ":" }
        guard webAddress.dropFirst(scheme.count).hasPrefix("://") else { return false }
        let host = webAddress.dropFirst(scheme.count + 3).prefix { !"/?#".contains($0) }
        guard !host.isEmpty, host.first != ":" else { return false }
        return !decodingPercents(Array(webAddress.utf8)).contains(UInt8(ascii: "\n"))
    }

    /// `../` steps in front that end in a colon or an empty part would replace the host of the address they are added
    /// to.
    private static func escapesRoot(_ url: [UInt8]) -> Bool {
        var rest = url[...]
        var steps = 0
        while true {
            if rest.starts(with: "../".utf8) || rest.starts(with: "..\\".utf8) {
                steps += 1
                rest = rest.dropFirst(3)
            } else if rest.starts(with: "./".utf8) || rest.starts(with: ".\\".utf8) {
                rest = rest.dropFirst(2)
            } else {
                break
            }
        }
        return steps > 0 && (rest.first == UInt8(ascii: ":") || rest.first == UInt8(ascii: "/"))
    }

    private static func decodingPercents(_ text: [UInt8]) -> [UInt8] {
        var decoded: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "%"), index + 2 < text.count, let high = digit(text[index + 1]),
                let low = digit(text[index + 2])
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(text[index])
                index += 1
            }
        }
        return decoded
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
