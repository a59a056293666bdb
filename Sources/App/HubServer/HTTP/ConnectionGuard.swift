import CHubPlatform
import NIOCore
import NIOPosix

/// Closes a connection on which no bytes move although it is the client's turn. First in the pipeline, below TLS.
///
/// A slow disk or a long computation is not the client's fault: only a wanted read that brings nothing, or unsent bytes that do not
/// get fewer, count. Unsent are those in the channel and those in the kernel's buffer, so that a slow reader is told from a dead one.
final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct Progress: Equatable {
        var received: Int64
        var buffered: Int
        var unsent: Int64
    }

    private let activity: ConnectionActivity
    private let timeouts: ConnectionTimeouts
    private let interval: TimeAmount
    private var timer: Scheduled<Void>?
    private var last = Progress(received: 0, buffered: 0, unsent: 0)
    private var lastProgressAt: NIODeadline

    init(activity: ConnectionActivity, timeouts: ConnectionTimeouts, now: NIODeadline) {
        self.activity = activity
        self.timeouts = timeouts
        lastProgressAt = now
        let shortest = min(timeouts.header, timeouts.keepAlive, timeouts.stalled, timeouts.linger)
        interval = max(.milliseconds(20), min(.seconds(5), .nanoseconds(shortest.nanoseconds / 4)))
    }

    func handlerAdded(context: ChannelHandlerContext) { schedule(context) }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        activity.receivedBytes += Int64(unwrapInboundIn(data).readableBytes)
        activity.isReadPending = false
        if case .waiting(_, hasBytes: false) = activity.phase {
            activity.phase = .waiting(since: .now(), hasBytes: true)
        }
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        activity.isReadPending = true
        context.read()
    }

    private func schedule(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: interval) {
            let (handler, context) = bound.value
            if handler.isOverdue(context) { context.close(promise: nil) } else { handler.schedule(context) }
        }
    }

    private func isOverdue(_ context: ChannelHandlerContext) -> Bool {
        let now = NIODeadline.now()
        switch activity.phase {
        case .waiting(let since, let hasBytes):
            return now - since > (activity.isFirst || hasBytes ? timeouts.header : timeouts.keepAlive)
        case .exchanging:
            return isStalled(context, now)
        case .closing(let since):
            guard current(context).buffered == 0 else { return isStalled(context, now) }
            guard let since else {
                activity.phase = .closing(since: now)
                return false
            }
            return now - since > timeouts.linger
        }
    }

    private func isStalled(_ context: ChannelHandlerContext, _ now: NIODeadline) -> Bool {
        let progress = current(context)
        let isClientsTurn = activity.isAwaitingBody || progress.buffered > 0 || progress.unsent > 0
        if progress != last || !isClientsTurn {
            last = progress
            lastProgressAt = now
        }
        return now - lastProgressAt > timeouts.stalled
    }

    private func current(_ context: ChannelHandlerContext) -> Progress {
        // A channel that cannot say is taken to have nothing to send; the kernel's count still tells.
        let buffered = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        let unsent = try? context.pipeline.syncOperations
            .withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { hub_unsent_bytes($0) }
        return Progress(received: activity.receivedBytes, buffered: buffered, unsent: unsent ?? 0)
    }
}
