import HubCore

/// Ids that clients see: 24 hex digits, as the Hub's own.
enum PublicID {
    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return Hex.encode((0..<12).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }
}
