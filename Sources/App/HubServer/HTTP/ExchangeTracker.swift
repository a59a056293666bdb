import NIOCore
import NIOHTTP1

/// Sent to every connection when the hub stops: idle ones close at once, others after the answer in progress.
struct StopEvent: Sendable {}

/// Sent by the connection's task when it has written its last answer.
struct ClosingEvent: Sendable {}

/// Follows requests and answers: keeps `ConnectionActivity`, closes idle connections when the hub stops, and speaks HTTP/1.0
/// to those who do.
final class ExchangeTracker: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let activity: ConnectionActivity
    /// Requests whose answer is not finished; more than one when a client pipelines.
    private var inProgress = 0

    init(activity: ConnectionActivity) { self.activity = activity }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .body: break
        case .end: activity.isBodyOpen = false
        case .head(var head):
            inProgress += 1
            activity.isBodyOpen = true
            activity.awaitsContinue = head.headers[canonicalForm: "expect"].contains { $0.lowercased() == "100-continue" }
            activity.isFirst = false
            if case .waiting = activity.phase { activity.phase = .exchanging }
            if head.version.major == 1, head.version.minor == 0 {
                activity.isHTTP10 = true
                head.headers.replaceOrAdd(name: "connection", value: "close")
                context.fireChannelRead(wrapInboundOut(.head(head)))
                return
            }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            activity.awaitsContinue = false
            // To HTTP/1.0 an interim answer would be the final one.
            guard !activity.isHTTP10 || head.status.code >= 200 else {
                promise?.succeed()
                return
            }
            if activity.isHTTP10 { head.version = .http1_0 }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            context.write(data, promise: promise)
            inProgress -= 1
            guard inProgress == 0, activity.phase == .exchanging else { return }
            activity.phase = .waiting(since: .now(), hasBytes: false)
            if activity.isStopping {
                // Closing only the output lets the answer reach the client first.
                activity.phase = .closing(since: nil)
                context.flush()
                context.close(mode: .output, promise: nil)
            }
        default:
            context.write(data, promise: promise)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is StopEvent:
            activity.isStopping = true
            if case .waiting = activity.phase { context.close(promise: nil) }
        case is ClosingEvent:
            activity.phase = .closing(since: nil)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }
}
