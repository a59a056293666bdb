import HubCore
import Synchronization

/// The uploads under way, by the object they bring, so that what one has stored spares the others' disk.
///
/// Also the lock between storing and deleting: both decide about an object's file inside `alone`.
final class Flights: Sendable {
    /// One object that at least one upload is bringing.
    final class Flight: Sendable {
        private let stored = Atomic<Bool>(false)

        /// One of the uploads has stored it: the others need not keep what they receive.
        var isStored: Bool { stored.load(ordering: .acquiring) }

        func markStored() { stored.store(true, ordering: .releasing) }
    }

    private struct Entry {
        let flight: Flight
        var uploads: Int
    }

    private let entries = Mutex<[ObjectID: Entry]>([:])

    /// Joins the uploads of `id`; pair it with `leave`.
    func join(_ id: ObjectID) -> Flight {
        entries.withLock { entries in
            var entry = entries[id] ?? Entry(flight: Flight(), uploads: 0)
            entry.uploads += 1
            entries[id] = entry
            return entry.flight
        }
    }

    func leave(_ id: ObjectID) {
        entries.withLock { entries in
            guard var entry = entries[id] else { return }
            entry.uploads -= 1
            entries[id] = entry.uploads > 0 ? entry : nil
        }
    }

    /// Runs `decide` while no other thread stores or deletes; tells it whether an upload of `id` is under way.
    /// It holds a lock, so it may look at and name files but not write or sync them.
    func alone<Value>(_ id: ObjectID, _ decide: (_ isInFlight: Bool) throws -> sending Value) rethrows -> sending Value {
        try entries.withLock { entries in try decide(entries[id] != nil) }
    }
}
