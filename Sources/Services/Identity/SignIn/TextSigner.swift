import HubCore

/// Signs short texts with HMAC-SHA256 and a key that only this hub has: links and tokens that need no row in the database.
///
/// Form: `<text>.<mac in hex>`, the MAC over what is before its dot. What the text says, an expiry above all, is for its reader to judge.
package struct TextSigner: Sendable {
    package static let keyBytes = 32
    /// Longer texts are none of ours.
    private static let maximumBytes = 300

    private let key: [UInt8]

    /// - Parameter key: 32 random bytes, kept in `secrets/`.
    package init(key: [UInt8]) {
        precondition(key.count == Self.keyBytes, "a signing key has 32 bytes")
        self.key = key
    }

    package func sign(_ text: String) -> String { "\(text).\(Hex.encode(mac(text)))" }

    /// The parts of the text between its dots; `nil` when this hub did not sign it.
    package func parts(of signed: String) -> [String]? {
        guard signed.utf8.count <= Self.maximumBytes, let dot = signed.lastIndex(of: "."),
            let signature = Hex.decode(signed[signed.index(after: dot)...])
        else { return nil }
        let text = String(signed[..<dot])
        guard Digest.areEqual(signature, mac(text)) else { return nil }
        return text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }

    private func mac(_ text: String) -> [UInt8] { Digest.hmac(Array(text.utf8), key: key) }
}
