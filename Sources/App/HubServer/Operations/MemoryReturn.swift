import CHubPlatform
import Repositories
import ServiceLifecycle

/// Gives memory back to the system after a burst of transfers: glibc keeps what lies below the newest block of each arena.
struct MemoryReturn: Service {
    /// What the allocator may hold free without being asked.
    static let keptBytes: Int64 = 16 << 20

    let interval: Duration = .seconds(5)

    func run() async throws {
        for await _ in AsyncTicks(interval: interval).cancelOnGracefulShutdown() {
            _ = hub_return_free_memory(Self.keptBytes)
        }
    }
}
