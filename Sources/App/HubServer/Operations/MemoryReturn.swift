import CHubPlatform
import Repositories
import ServiceLifecycle

/// Gives memory back to the system after a burst of transfers: glibc keeps what lies below the newest block of each arena.
struct MemoryReturn: Service {
    /// What the allocator's first arena may hold free without being asked.
    static let keptBytes: Int64 = 6 << 20
    /// Every so many ticks all arenas are asked, since glibc counts what is free for the first alone.
    static let ticksOfAllArenas = 4

    let interval: Duration = .seconds(5)

    func run() async throws {
        var ticks = 0
        for await _ in AsyncTicks(interval: interval).cancelOnGracefulShutdown() {
            ticks += 1
            _ = hub_return_free_memory(ticks.isMultiple(of: Self.ticksOfAllArenas) ? 0 : Self.keptBytes)
        }
    }
}
