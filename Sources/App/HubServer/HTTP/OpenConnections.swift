import NIOCore
import Synchronization

/// The connections that are open, so that a stop reaches each of them and their number is bounded.
final class OpenConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isStopping = false
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { state.withLock { $0.channels.count } }
    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Counts a new connection; false when there are too many, or the hub is stopping.
    func admit(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let isAdmitted = state.withLock { state in
            guard !state.isStopping, state.channels.count < limit else { return false }
            state.channels[id] = channel
            return true
        }
        guard isAdmitted else { return false }
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.channels[id] = nil } }
        return true
    }

    /// Admits no more, closes idle ones at once and the others after the answer in progress.
    func stop() {
        let open = state.withLock { state in
            state.isStopping = true
            return Array(state.channels.values)
        }
        for channel in open { channel.pipeline.fireUserInboundEventTriggered(StopEvent()) }
    }

    /// Cuts those that are still open.
    func closeAll() {
        for channel in state.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
    }
}
