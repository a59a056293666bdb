import CArgon2
import Dispatch
import HubCore
import Synchronization

/// Argon2id hashes of passwords, two at a time on threads of their own.
///
/// A hash is kept as libargon2 encodes it, `$argon2id$v=19$m=65536,t=3,p=1$<salt>$<hash>`, with 16 random bytes of salt
/// and 32 of hash, so that the cost can change and old hashes go on working. The 64 MiB of one computation are given
/// back to the system when it ends.
final class PasswordHasher: Sendable {
    static let concurrency = 2
    /// More that wait are refused: each costs a fifth of a second.
    static let maximumWaiting = 64
    private static let saltBytes = 16
    private static let hashBytes = 32

    private struct State {
        var running = 0
        var waiting: [@Sendable () -> Void] = []
    }

    private let cost: PasswordCost
    private let queue = DispatchQueue(label: "hub.passwords", attributes: .concurrent)
    private let state = Mutex(State())

    init(cost: PasswordCost) { self.cost = cost }

    func hash(_ password: String) async throws -> String {
        let cost = cost
        return try await run { try Self.encode(Array(password.utf8), cost) }
    }

    /// Takes as long when there is no hash, so that the time does not tell which accounts exist.
    func verify(_ password: String, against hash: String?) async throws -> Bool {
        let encoded = hash ?? decoy
        let isRight = try await run {
            let bytes = Array(password.utf8)
            return argon2id_verify(encoded, bytes, bytes.count) == ARGON2_OK.rawValue
        }
        return isRight && hash != nil
    }

    /// A hash of nothing that anybody knows, as costly as the others.
    private var decoy: String {
        let text = { (count: Int) in String(repeating: "A", count: count) }
        return "$argon2id$v=19$m=\(cost.memoryKiB),t=\(cost.passes),p=\(cost.lanes)$\(text(22))$\(text(43))"
    }

    private static func encode(_ password: [UInt8], _ cost: PasswordCost) throws -> String {
        let salt = Digest.random(saltBytes)
        let length = argon2_encodedlen(
            cost.passes, cost.memoryKiB, cost.lanes, UInt32(saltBytes), UInt32(hashBytes), Argon2_id)
        var encoded = [CChar](repeating: 0, count: length)
        let code = argon2id_hash_encoded(
            cost.passes, cost.memoryKiB, cost.lanes, password, password.count, salt, saltBytes, hashBytes, &encoded,
            length)
        guard code == ARGON2_OK.rawValue else { throw PasswordHashError(code: code) }
        return String(decoding: encoded.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            let job: @Sendable () -> Void = { continuation.resume(with: Result(catching: work)) }
            let (starts, isRefused): (Bool, Bool) = state.withLock { state in
                if state.running < Self.concurrency {
                    state.running += 1
                    return (true, false)
                }
                guard state.waiting.count < Self.maximumWaiting else { return (false, true) }
                state.waiting.append(job)
                return (false, false)
            }
            if isRefused { continuation.resume(throwing: IdentityError.tooManySignIns) }
            if starts { start(job) }
        }
    }

    private func start(_ job: @escaping @Sendable () -> Void) {
        queue.async {
            job()
            let next: (@Sendable () -> Void)? = self.state.withLock { state in
                if state.waiting.isEmpty {
                    state.running -= 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
            if let next { self.start(next) }
        }
    }
}

/// libargon2 failed, most likely for want of memory.
struct PasswordHashError: Error {
    let code: Int32
}

/// What a new password must be.
enum PasswordRules {
    static let maximumBytes = 1024

    static func check(_ password: String, of name: NamespaceName, minimumLength: Int) throws(IdentityError) {
        guard password.unicodeScalars.count >= minimumLength else { throw .passwordTooShort(minimum: minimumLength) }
        guard password.utf8.count <= maximumBytes else { throw .passwordTooLong }
        guard password.lowercased() != name.key else { throw .passwordIsName }
    }
}
