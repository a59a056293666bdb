import CHubPlatform
import Repositories
import ServiceLifecycle

/// Gives memory back to the system after a burst of transfers: glibc keeps what lies below the newest block of each arena.
///
/// Asking costs less than a millisecond where nothing is free, so it is done without looking first: glibc counts what is free for
/// its first arena alone.
struct MemoryReturn: Service {
    let interval: Duration = .seconds(4)

    func run() async throws {
        for await _ in AsyncTicks(interval: interval).cancelOnGracefulShutdown() { hub_return_free_memory() }
    }
}
