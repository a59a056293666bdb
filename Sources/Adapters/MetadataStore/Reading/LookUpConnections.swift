import GRDB
import Synchronization

/// Connections for reads of a few rows that run on the caller's thread.
///
/// They are not those of the pool: a connection of the pool is given back by a task that waits for its turn on a thread, so a thread
/// that waits for one, when all threads do, waits for ever. One of these is given back by the thread that took it, and nobody waits
/// for one: there are as many as threads have read at once.
final class LookUpConnections: Sendable {
    private struct State {
        var free: [DatabaseQueue] = []
        var isClosed = false
    }

    private let path: String
    private let state = Mutex(State())

    init(path: String) { self.path = path }

    /// A read in one snapshot.
    /// - Throws: `MetadataError.closed`, or what the database or `body` throws.
    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        let connection = try take()
        defer { giveBack(connection) }
        return try connection.read(body)
    }

    /// Those in use are closed when they are given back.
    func close() throws {
        let closing = state.withLock { state in
            defer { state = State(isClosed: true) }
            return state.free
        }
        for connection in closing { try connection.close() }
    }

    private func take() throws -> DatabaseQueue {
        let free = try state.withLock { state in
            guard !state.isClosed else { throw MetadataError.closed }
            return state.free.popLast()
        }
        return try free ?? StoreConnection.openReader(path: path)
    }

    private func giveBack(_ connection: DatabaseQueue) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.free.append(connection) }
            return state.isClosed
        }
        if isClosed {
            // It only read: there is nothing that a failure could lose.
            try? connection.close()
        }
    }
}
