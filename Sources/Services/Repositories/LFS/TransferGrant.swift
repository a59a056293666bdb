import FoundationEssentials
import HubCore
import Identity

/// What a signed link of an LFS transfer allows: one operation on one object of one repository, by one account, for a while.
///
/// A link says what was granted; whether the account still may is asked again when the link is used.
package struct TransferGrant: Hashable, Sendable {
    package enum Operation: String, Hashable, Sendable {
        case upload, verify, download
        /// A part of an upload in parts, or its completion.
        case multipart
    }

    package let operation: Operation
    package let repository: RepositoryID
    /// `nil` is the anonymous visitor, for downloads.
    package let account: AccountID?
    /// The token that the account came with; the link works no longer than it.
    package let token: TokenID?
    package let oid: ObjectID
    package let sizeBytes: Int64
    package let expiresAt: Date

    package init(
        operation: Operation, repository: RepositoryID, account: AccountID?, token: TokenID? = nil, oid: ObjectID,
        sizeBytes: Int64,
        expiresAt: Date
    ) {
        self.operation = operation
        self.repository = repository
        self.account = account
        self.token = token
        self.oid = oid
        self.sizeBytes = sizeBytes
        self.expiresAt = expiresAt
    }
}

/// Signs grants with a key that only this hub has.
///
/// Form: `1.<operation>.<repository>.<account or 0>.<token or 0>.<sha256>.<size>.<expiry, seconds since 1970>.<mac in hex>`; ours. The MAC
/// covers everything before its dot.
package struct TransferSigner: Sendable {
    package static let keyBytes = TextSigner.keyBytes
    /// How a grant begins, and no token does.
    package static let prefix = "1."
    private let signer: TextSigner

    /// - Parameter key: 32 random bytes, kept in `secrets/`.
    package init(key: [UInt8]) { signer = TextSigner(key: key) }

    package func sign(_ grant: TransferGrant) -> String {
        let expiry = Int64(grant.expiresAt.timeIntervalSince1970.rounded(.up))
        return signer.sign(
            "1.\(grant.operation.rawValue).\(grant.repository).\(grant.account?.rawValue ?? 0).\(grant.token?.rawValue ?? 0)."
                + "\(grant.oid).\(grant.sizeBytes).\(expiry)")
    }

    /// The grant in `text`, if this hub signed it and it has not expired at `now`.
    package func verify(_ text: String, now: Date) throws(TransferGrantError) -> TransferGrant {
        guard let parts = signer.parts(of: text), parts.count == 8, parts[0] == "1",
            let operation = TransferGrant.Operation(rawValue: parts[1]),
            let repository = Int64(parts[2]), let account = Int64(parts[3]), let token = Int64(parts[4]),
            let oid = ObjectID(hex: parts[5]),
            let size = Int64(parts[6]), let expiry = Int64(parts[7])
        else { throw .malformed }
        let expiresAt = Date(timeIntervalSince1970: Double(expiry))
        guard expiresAt > now else { throw .expired }
        return TransferGrant(
            operation: operation, repository: RepositoryID(repository),
            account: account == 0 ? nil : AccountID(account),
            token: token == 0 ? nil : TokenID(token), oid: oid, sizeBytes: size, expiresAt: expiresAt)
    }
}

/// Why a signed link does not work.
package enum TransferGrantError: Error, Equatable {
    case malformed
    case expired
    /// It was made for another object, repository or operation.
    case mismatched
}

extension TransferGrantError: Refusal {
    package var problem: Problem {
        switch self {
        case .malformed:
            Problem(
                .unauthenticated, code: "invalid_transfer_link",
                "This transfer link was not made by this hub; ask for a new one.")
        case .expired:
            Problem(
                .unauthenticated, code: "expired_transfer_link",
                "This transfer link has expired; run the command again.")
        case .mismatched:
            Problem(
                .unauthenticated, code: "invalid_transfer_link",
                "This transfer link was made for something else; ask for a new one.")
        }
    }
}
