import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Makes guessing passwords slow: after some failures each further attempt waits twice as long as the one before.
///
/// Counted apart for each account name, whether it exists or not, and for each address (for IPv6 its /64), since one
/// guesser may try many names and many guessers one name. Kept in memory, bounded; an entry is forgotten 15 minutes
/// after its last failure. Tokens are not counted: nobody guesses 160 bits, and nobody shall lock out somebody else's
/// programs.
final class SignInBackoff: Sendable {
    static let accountAttempts = 10
    static let addressAttempts = 30
    static let longestDelay: Double = 300
    static let memory: Double = 900
    private static let bound = 10_000

    private struct Entry {
        var failures = 0
        var blockedUntil: Double = 0
        var lastFailure: Double = 0
    }

    private struct State {
        var accounts: [String: Entry] = [:]
        var addresses: [String: Entry] = [:]
    }

    private let state = Mutex(State())

    /// Counts an attempt as failed until `succeeded` says otherwise, so that many at once are no way around.
    ///
    /// Throws when it must wait.
    func begin(account: String, address: String?, at now: Double) throws(IdentityError) {
        let address = address.map(Self.group)
        let wait: Double = state.withLock { state in
            let delay = max(
                Self.delay(state.accounts[account], at: now),
                address.map { Self.delay(state.addresses[$0], at: now) } ?? 0)
            guard delay <= 0 else { return delay }
            Self.count(account, in: &state.accounts, free: Self.accountAttempts, at: now)
            if let address { Self.count(address, in: &state.addresses, free: Self.addressAttempts, at: now) }
            return 0
        }
        if wait > 0 { throw .tooManyAttempts(retryAfter: .seconds(Int(wait.rounded(.up)))) }
    }

    func succeeded(account: String, address: String?) {
        let address = address.map(Self.group)
        state.withLock { state in
            state.accounts[account] = nil
            // One success does not excuse an address for its other guesses, it takes back its own attempt only.
            guard let address, var entry = state.addresses[address] else { return }
            entry.failures -= 1
            entry.blockedUntil = 0
            state.addresses[address] = entry.failures > 0 ? entry : nil
        }
    }

    private static func delay(_ entry: Entry?, at now: Double) -> Double {
        guard let entry, now - entry.lastFailure < memory else { return 0 }
        return entry.blockedUntil - now
    }

    private static func count(_ key: String, in table: inout [String: Entry], free: Int, at now: Double) {
        var entry = table[key] ?? Entry()
        if now - entry.lastFailure >= memory { entry = Entry() }
        entry.failures += 1
        entry.lastFailure = now
        if entry.failures >= free {
            let doublings = Double(min(entry.failures - free, 20))
            entry.blockedUntil = now + min(exp2(doublings), longestDelay)
        }
        if table[key] == nil, table.count >= bound { makeRoom(in: &table, at: now) }
        table[key] = entry
    }

    /// Forgets what is old; in a flood, the quarter that failed least.
    private static func makeRoom(in table: inout [String: Entry], at now: Double) {
        table = table.filter { now - $0.value.lastFailure < memory }
        guard table.count >= bound else { return }
        let least = table.sorted { $0.value.failures < $1.value.failures }.prefix(bound / 4)
        for (key, _) in least { table[key] = nil }
    }

    /// An IPv6 address counts by its first 64 bits: its owner has all the rest.
    private static func group(_ address: String) -> String {
        var bytes = in6_addr()
        guard inet_pton(AF_INET6, address, &bytes) == 1 else { return String(address.prefix(64)) }
        return withUnsafeBytes(of: bytes) { raw in
            // An IPv4 address in IPv6 form is itself.
            let isMapped = raw.prefix(10).allSatisfy { $0 == 0 } && raw[10] == 0xFF && raw[11] == 0xFF
            return isMapped ? "v4:\(Array(raw.suffix(4)))" : "v6:\(Array(raw.prefix(8)))"
        }
    }
}

/// Which sign-ins are written to the audit log: a flood of failures becomes a row a minute for each name and address.
final class SignInAudit: Sendable {
    static let interval: Double = 60
    /// Rows a minute of all failures together; what is beyond is counted into a later row.
    static let budget = 60
    private static let bound = 5_000

    private struct State {
        var last: [String: (at: Double, suppressed: Int)] = [:]
        var windowStart: Double = 0
        var written = 0
        var lost = 0
    }

    private let state = Mutex(State())

    /// Nil when this failure gets no row; otherwise how many before it got none.
    func failure(_ name: String, _ address: String?, at now: Double) -> Int? {
        state.withLock { state in
            if now - state.windowStart >= Self.interval { (state.windowStart, state.written) = (now, 0) }
            let key = "\(name) \(address ?? "")"
            let known = state.last[key]
            if let known, now - known.at < Self.interval {
                state.last[key] = (known.at, known.suppressed + 1)
                return nil
            }
            guard state.written < Self.budget else {
                state.lost += 1
                return nil
            }
            state.written += 1
            if state.last.count >= Self.bound { state.last = state.last.filter { now - $0.value.at < Self.interval } }
            if state.last.count >= Self.bound { state.last.removeAll() }
            state.last[key] = (now, 0)
            defer { state.lost = 0 }
            return (known?.suppressed ?? 0) + state.lost
        }
    }
}
