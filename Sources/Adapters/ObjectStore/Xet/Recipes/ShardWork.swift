import HubCore
import Synchronization

/// How much one shard may make the hub read and hash.
///
/// A small shard can name the same chunks again and again. Each xorb that it names pays for reading as many bytes as it has `factor`
/// times, which files of honest clients stay far below; what goes beyond is taken from an allowance, for files that are one chunk many
/// times, as of zeros. All is counted in bytes: a chunk whose hash is worked with counts as `bytesPerChunk`.
package final class ShardWork: Sendable {
    package static let allowanceBytes: Int64 = 64 << 30
    package static let factor: Int64 = 16
    private static let bytesPerChunk: Int64 = 4 << 10

    private struct State {
        var left: Int64
        /// The first bytes of the hashes of the xorbs that have paid.
        var xorbs: Set<UInt64> = []
    }

    private let state: Mutex<State>

    package init(allowanceBytes: Int64 = ShardWork.allowanceBytes) { state = Mutex(State(left: allowanceBytes)) }

    /// A term of this xorb is to be checked.
    /// - Parameter readsTable: its table is not in memory.
    func begin(_ term: ShardTerm, of table: XorbTable, readsTable: Bool) throws(XetStoreError) {
        let cost = Int64(term.chunks.count + (readsTable ? table.chunks.count : 0)) * Self.bytesPerChunk
        let isLeft = state.withLock { state in
            if state.xorbs.insert(table.xorb.hash.firstWord).inserted {
                let worth = max(Int64(table.xorb.rawBytes), Int64(table.chunks.count) * Self.bytesPerChunk)
                state.left += worth * Self.factor
            }
            state.left -= cost
            return state.left >= 0
        }
        guard isLeft else { throw .tooMuchWork }
    }

    /// So many bytes are to be read and hashed.
    func spend(_ bytes: Int64) throws(XetStoreError) {
        let isLeft = state.withLock { state in
            state.left -= bytes
            return state.left >= 0
        }
        guard isLeft else { throw .tooMuchWork }
    }
}
