import HubCore
import Synchronization

/// Passwords that were right a short while ago, so that a client which sends one with each request does not cost an
/// Argon2id each time.
///
/// Kept is an HMAC under a key of this process over account, stored hash and password; a changed password therefore
/// counts at once.
final class VerifiedPasswords: Sendable {
    static let lifetime: Double = 300
    private static let bound = 1_000

    private let key = Digest.random(32)
    private let until = Mutex<[[UInt8]: Double]>([:])

    func contains(_ password: String, hash: String, of account: AccountID, at now: Double) -> Bool {
        let tag = tag(password, hash, account)
        return until.withLock { ($0[tag] ?? 0) > now }
    }

    func insert(_ password: String, hash: String, of account: AccountID, at now: Double) {
        let tag = tag(password, hash, account)
        until.withLock { until in
            if until.count >= Self.bound { until = until.filter { $0.value > now } }
            if until.count >= Self.bound { until.removeAll() }
            until[tag] = now + Self.lifetime
        }
    }

    private func tag(_ password: String, _ hash: String, _ account: AccountID) -> [UInt8] {
        Digest.hmac(Array("\(account):\(hash.utf8.count):\(hash):\(password)".utf8), key: key)
    }
}
