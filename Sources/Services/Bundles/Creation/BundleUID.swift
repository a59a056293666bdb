import BundleFormat
import HubCore

/// The names of repositories inside a bundle: 16 bytes in 26 characters of Crockford's base 32, as a ULID is written.
package enum BundleUID {
    private static let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// Of a repository of a hub, whose uid is 32 hex digits.
    package static func of(_ uid: RepositoryUID) -> String { text(Hex.decode(uid.text) ?? Array(BundleDigest.hash(Array(uid.text.utf8)).bytes.prefix(16))) }

    /// Of a repository that no hub has: the same for the same name, so that a later bundle brings the same repository.
    package static func of(_ reference: RepositoryReference) -> String { text(seed(reference)) }

    /// The name under which such a repository's history is kept.
    package static func repository(_ reference: RepositoryReference) -> RepositoryUID { RepositoryUID(trusted: Hex.encode(seed(reference))) }

    private static func seed(_ reference: RepositoryReference) -> [UInt8] {
        Array(BundleDigest.hash(Array("csghub \(reference.kind.rawValue)/\(reference.name.description.lowercased())".utf8)).bytes.prefix(16))
    }

    private static func text(_ bytes: [UInt8]) -> String {
        var high = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        var low = bytes.dropFirst(8).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        var text: [UInt8] = []
        for _ in 0..<26 {
            text.append(digits[Int(low & 31)])
            low = low >> 5 | high << 59
            high >>= 5
        }
        return String(decoding: text.reversed(), as: UTF8.self)
    }
}

extension ObjectID {
    /// The 32 bytes of the digest.
    package var bytes: [UInt8] { Hex.decode(hex) ?? [] }
}
