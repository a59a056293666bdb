import HubCore

/// Tells the maintenance which repositories have new packs. Holds the newest 1,024 that are waiting; what falls out is
/// found by the periodic pass.
package struct PackArrivals: Sendable {
    let repositories: AsyncStream<RepositoryID>
    private let continuation: AsyncStream<RepositoryID>.Continuation

    init() {
        (repositories, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1024))
    }

    func tell(_ repository: RepositoryID) { continuation.yield(repository) }
}
