import HubCore
import Synchronization

/// Whole git states that were read lately, so that an advertisement of thousands of refs reads one row.
///
/// An entry is used only when the repository's versions are still those it was read at, so it is never stale. Bounded
/// by the number of refs and packs that it holds together.
final class GitStateCache: Sendable {
    /// At some 150 bytes each, about 30 MB when full of hubs with very many refs; usually far less.
    static let bound = 200_000

    struct Versions: Equatable {
        let packGeneration: Int64
        let referencesVersion: Int64
    }

    private struct Entry {
        let state: GitState
        var lastUse: UInt64
    }

    private struct State {
        var entries: [RepositoryID: Entry] = [:]
        var size = 0
        var clock: UInt64 = 0
    }

    private let state = Mutex(State())

    func state(of id: RepositoryID, at versions: Versions) -> GitState? {
        state.withLock { state in
            guard let entry = state.entries[id] else { return nil }
            guard entry.state.packGeneration == versions.packGeneration,
                entry.state.referencesVersion == versions.referencesVersion
            else {
                return nil
            }
            state.clock += 1
            state.entries[id]?.lastUse = state.clock
            return entry.state
        }
    }

    func keep(_ value: GitState) {
        state.withLock { state in
            if let old = state.entries[value.repository] {
                // A slower reader must not put an older state in the place of a newer one.
                guard old.state.referencesVersion <= value.referencesVersion else { return }
                state.size -= Self.size(of: old.state)
            }
            state.clock += 1
            state.entries[value.repository] = Entry(state: value, lastUse: state.clock)
            state.size += Self.size(of: value)
            while state.size > Self.bound, state.entries.count > 1 {
                guard let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return }
                state.entries[oldest.key] = nil
                state.size -= Self.size(of: oldest.value.state)
            }
        }
    }

    func drop(_ id: RepositoryID) {
        state.withLock { state in
            guard let old = state.entries.removeValue(forKey: id) else { return }
            state.size -= Self.size(of: old.state)
        }
    }

    private static func size(of state: GitState) -> Int { state.references.count + state.packs.count + 16 }
}
