import FoundationEssentials

/// Certificates of authorities that an administrator trusts beside those of the system, in PEM form (RFC 7468).
///
/// Only the frame is read here: base64 between `-----BEGIN CERTIFICATE-----` and its end, at least one, at most ten.
package struct TrustedAuthorities: Hashable, Sendable {
    package static let maximumCount = 10
    package static let none = TrustedAuthorities(blocks: [])
    private static let begin = "-----BEGIN CERTIFICATE-----"
    private static let end = "-----END CERTIFICATE-----"

    /// Each certificate with its frame.
    private let blocks: [String]

    private init(blocks: [String]) { self.blocks = blocks }

    /// `nil` when there is anything that is no certificate; text before and between them, as tools write it, is left out.
    package init?(_ text: String) {
        var blocks: [String] = []
        var lines: [Substring]?
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.filter { !$0.isWhitespace || $0 == " " }[...]
            switch (lines, String(line)) {
            case (nil, Self.begin): lines = []
            case (let open?, Self.end):
                let base64 = open.joined()
                guard let der = Data(base64Encoded: base64), der.count > 100, der.first == 0x30 else { return nil }
                blocks.append(([Self.begin] + open.map(String.init) + [Self.end]).joined(separator: "\n"))
                lines = nil
            case (nil, _): continue
            case (let open?, _): lines = open + [line]
            }
        }
        guard lines == nil, !blocks.isEmpty || text.allSatisfy(\.isWhitespace), blocks.count <= Self.maximumCount else { return nil }
        self.init(blocks: blocks)
    }

    package var text: String { blocks.joined(separator: "\n") }
    package var isEmpty: Bool { blocks.isEmpty }
}
