import HubCore

/// Which objects a partial clone leaves out (git `rev-list(1)`, `--filter`).
///
/// `blob:none`, `blob:limit=<n>[kmg]`, `tree:<depth>`, `object:type=<type>` and `combine:<filter>+<filter>…`, the parts
/// percent-encoded. `sparse:oid=` is refused. Filters combine to the strictest of each kind, so one value holds them all.
package struct ObjectFilter: Sendable, Hashable {
    /// Blobs of this size or more are left out.
    package private(set) var blobLimit: Int64?
    /// Trees and blobs as deep as this or deeper are left out; a root tree has depth 0.
    package private(set) var treeDepth: Int?
    /// Only these types are sent.
    package private(set) var types: Set<GitObjectType> = Set(GitObjectType.allCases)

    private static let maximumNesting = 8
    private static let maximumParts = 64

    package init(parsing text: String) throws(GitStoreError) {
        guard text.utf8.count <= 4096, let filter = ObjectFilter(text, nesting: 0) else {
            throw .invalidFilter(String(text.prefix(200)))
        }
        self = filter
    }

    private init() {}

    /// Leaves nothing out.
    static let everything = ObjectFilter()

    private init?(_ text: String, nesting: Int) {
        guard nesting <= Self.maximumNesting else { return nil }
        if text == "blob:none" {
            blobLimit = 0
        } else if let size = text.suffix(after: "blob:limit=") {
            guard let limit = Self.size(size) else { return nil }
            blobLimit = limit
        } else if let depth = text.suffix(after: "tree:") {
            guard depth.utf8.allSatisfy(Self.isDigit), let depth = Int(depth) else { return nil }
            treeDepth = depth
        } else if let type = text.suffix(after: "object:type=") {
            guard let type = GitObjectType(name: type.utf8) else { return nil }
            types = [type]
        } else if let parts = text.suffix(after: "combine:") {
            let parts = parts.split(separator: "+", omittingEmptySubsequences: false)
            guard parts.count <= Self.maximumParts else { return nil }
            for part in parts {
                guard let decoded = Self.percentDecoded(part), let filter = ObjectFilter(decoded, nesting: nesting + 1)
                else { return nil }
                narrow(by: filter)
            }
        } else {
            return nil
        }
    }

    private mutating func narrow(by other: ObjectFilter) {
        blobLimit = [blobLimit, other.blobLimit].compactMap { $0 }.min()
        treeDepth = [treeDepth, other.treeDepth].compactMap { $0 }.min()
        types.formIntersection(other.types)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    /// `10`, `10k`, `3M`, `1g`.
    private static func size(_ text: Substring) -> Int64? {
        var digits = text
        var factor: Int64 = 1
        switch text.last {
        case "k", "K": factor = 1 << 10
        case "m", "M": factor = 1 << 20
        case "g", "G": factor = 1 << 30
        default: break
        }
        if factor > 1 { digits = text.dropLast() }
        guard digits.utf8.allSatisfy(isDigit), let number = Int64(digits) else { return nil }
        let (size, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : size
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16),
                digits.first != UInt8(ascii: "+")
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension StringProtocol {
    /// What follows `prefix`, or `nil` when the text does not begin with it.
    fileprivate func suffix(after prefix: String) -> SubSequence? { hasPrefix(prefix) ? dropFirst(prefix.count) : nil }
}
