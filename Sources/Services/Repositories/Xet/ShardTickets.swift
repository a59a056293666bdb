import Synchronization

/// Counts the shards of each account that the hub holds, those that wait for their turn included: each has a file and a connection.
final class ShardTickets: Sendable {
    private let perKey: Int
    private let held = Mutex<[String: Int]>([:])

    init(perKey: Int) { self.perKey = perKey }

    /// - Throws: `XetError.tooManyShards`.
    func take(_ key: String) throws(XetError) -> ShardTicket {
        let isFree = held.withLock { held in
            guard held[key, default: 0] < perKey else { return false }
            held[key, default: 0] += 1
            return true
        }
        guard isFree else { throw .tooManyShards }
        return ShardTicket(key: key, tickets: self)
    }

    fileprivate func giveBack(_ key: String) {
        held.withLock { held in
            let left = held[key, default: 0] - 1
            held[key] = left > 0 ? left : nil
        }
    }
}

/// The right to have one shard here; ends with its last reference.
final class ShardTicket: Sendable {
    private let key: String
    private let tickets: ShardTickets

    fileprivate init(key: String, tickets: ShardTickets) {
        self.key = key
        self.tickets = tickets
    }

    deinit { tickets.giveBack(key) }
}
