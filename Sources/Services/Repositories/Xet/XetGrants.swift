import FoundationEssentials
import HubCore
import Identity
import MetadataStore

/// What the holder of a Xet token may do with the files of one repository.
package enum XetRight: String, Hashable, Sendable {
    case read
    case write
    /// Upload for a pull request, which everybody may open who reads.
    case propose

    /// What its holder must be allowed when the token is made, and again whenever it is used.
    var action: RepositoryAction {
        switch self {
        case .read: .readContent
        case .write: .write
        case .propose: .propose
        }
    }

    /// Whether it also allows `other`.
    func includes(_ other: XetRight) -> Bool {
        switch other {
        case .read: true
        case .propose: self != .read
        case .write: self == .write
        }
    }
}

/// A token as the client gets it.
package struct XetToken: Hashable, Sendable {
    package let text: String
    package let expiresAt: Date
}

/// Whoever used a token, as they are now.
package struct XetAccess: Sendable {
    package let repository: Repository
    package let principal: Principal
    package let right: XetRight
}

/// Bytes of a xorb, in the form that clients get, that a link gives to whoever has it, for a while.
package struct XorbGrant: Hashable, Sendable {
    package let xorb: XetHash
    package let range: Range<Int>

    package init(xorb: XetHash, range: Range<Int>) {
        self.xorb = xorb
        self.range = range
    }
}

/// Signs tokens and links of the Xet protocol with a key that only this hub has.
///
/// Forms, ours: `x1.<right>.<repository>.<account or 0>.<access token or 0>.<expiry>.<mac>` and
/// `d1.<xorb>.<start>.<end>.<expiry>.<mac>`, expiry in seconds since 1970, the MAC in hex over what is before its dot.
package struct XetSigner: Sendable {
    package static let keyBytes = TextSigner.keyBytes

    private let signer: TextSigner

    /// - Parameter key: 32 random bytes, kept in `secrets/`.
    package init(key: [UInt8]) { signer = TextSigner(key: key) }

    struct Token: Hashable, Sendable {
        let right: XetRight
        let repository: RepositoryID
        let holder: GrantHolder
        let expiresAt: Date
    }

    func sign(_ token: Token) -> String {
        let holder = token.holder
        return signer.sign(
            "x1.\(token.right.rawValue).\(token.repository).\(holder.account?.rawValue ?? 0).\(holder.token?.rawValue ?? 0)."
                + Self.seconds(token.expiresAt))
    }

    func token(_ text: String, now: Date) throws(XetError) -> Token {
        let parts = try parts(of: text, form: "x1", count: 6, now: now)
        guard let right = XetRight(rawValue: parts[1]), let repository = Int64(parts[2]), let account = Int64(parts[3]),
            let token = Int64(parts[4]), let expiry = Int64(parts[5])
        else { throw .invalidToken }
        let holder = GrantHolder(
            account: account == 0 ? nil : AccountID(account), token: token == 0 ? nil : TokenID(token))
        return Token(
            right: right, repository: RepositoryID(repository), holder: holder,
            expiresAt: Date(timeIntervalSince1970: Double(expiry)))
    }

    package func sign(_ grant: XorbGrant, until expiresAt: Date) -> String {
        signer.sign("d1.\(grant.xorb).\(grant.range.lowerBound).\(grant.range.upperBound).\(Self.seconds(expiresAt))")
    }

    package func grant(_ text: String, now: Date) throws(XetError) -> XorbGrant {
        let parts = try parts(of: text, form: "d1", count: 5, now: now)
        guard let xorb = XetHash(hex: parts[1]), let start = Int(parts[2]), let end = Int(parts[3]), start >= 0,
            start <= end
        else {
            throw .invalidToken
        }
        return XorbGrant(xorb: xorb, range: start..<end)
    }

    private static func seconds(_ date: Date) -> String { String(Int64(date.timeIntervalSince1970.rounded(.up))) }

    /// The parts of a text that this hub signed and that has not expired; the last is the expiry.
    private func parts(of text: String, form: String, count: Int, now: Date) throws(XetError) -> [String] {
        guard let parts = signer.parts(of: text), parts.count == count, parts[0] == form,
            let expiry = parts.last.flatMap({ Int64($0) })
        else { throw .invalidToken }
        guard Date(timeIntervalSince1970: Double(expiry)) > now else { throw .expiredToken }
        return parts
    }
}

/// Why a request of the Xet protocol was refused, beyond what the stores say.
package enum XetError: Error, Equatable {
    /// Not a token or link of this hub, or for something else.
    case invalidToken
    case expiredToken
    /// The token is good, but for less than this.
    case rightTooNarrow
    case fileNotFound
    case xorbNotFound
    /// The range begins after the end of the file.
    case rangeNotSatisfiable(sizeBytes: Int64)
    /// The file is in more pieces than one answer lists; ask for a range.
    case tooManyTerms(limit: Int)
    /// The account has as many shards here as it may.
    case tooManyShards
}

extension XetError: Refusal {
    package var problem: Problem {
        switch self {
        case .invalidToken:
            Problem(
                .unauthenticated, code: "invalid_xet_token",
                "This Xet token was not made by this hub; ask for a new one.")
        case .expiredToken:
            Problem(.unauthenticated, code: "expired_xet_token", "This Xet token has expired; ask for a new one.")
        case .rightTooNarrow: Problem(.forbidden, code: "xet_read_only", "This Xet token allows reading only.")
        case .fileNotFound: Problem(.missing, code: "file_not_found", "The repository has no such file.")
        case .xorbNotFound: Problem(.missing, code: "xorb_not_found", "There is no such xorb.")
        case .rangeNotSatisfiable(let size):
            Problem(.invalid, code: "range_not_satisfiable", "The file has \(size) bytes.")
        case .tooManyTerms(let limit):
            Problem(
                .invalid, code: "too_many_terms", "The file is in more than \(limit) pieces; ask for a range of it.")
        case .tooManyShards:
            Problem(
                .throttled, code: "too_many_uploads", "You have too many uploads at once; try again in a moment.",
                retryAfter: .seconds(5))
        }
    }
}
