import FoundationEssentials
import HubCore
import Synchronization

/// Who is about to open a pull request, or commits to one, without the right to write: they may upload its large files.
///
/// The client says so when it asks how to upload (`preupload?create_pr=1`); the LFS batch that follows does not tell. Kept in memory:
/// after a restart the client asks again. The newest `maximumCount` are remembered.
package final class UploadProposals: Sendable {
    private static let lifetime: TimeInterval = 24 * 3600
    private static let maximumCount = 10_000

    private struct Key: Hashable {
        let repository: RepositoryID
        let account: AccountID
    }

    private let ends = Mutex<[Key: Date]>([:])
    private let clock: @Sendable () -> Date

    init(clock: @escaping @Sendable () -> Date) { self.clock = clock }

    /// The account may `discuss` the repository and proposes a change of it.
    package func note(_ account: AccountID, in repository: RepositoryID) {
        let now = clock()
        ends.withLock { ends in
            ends[Key(repository: repository, account: account)] = now.addingTimeInterval(Self.lifetime)
            guard ends.count > Self.maximumCount else { return }
            ends = ends.filter { $0.value > now }
            while ends.count > Self.maximumCount, let oldest = ends.min(by: { $0.value < $1.value })?.key { ends[oldest] = nil }
        }
    }

    package func contains(_ account: AccountID, in repository: RepositoryID) -> Bool {
        let now = clock()
        return ends.withLock { $0[Key(repository: repository, account: account)].map { $0 > now } ?? false }
    }
}
