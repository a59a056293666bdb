import NIOCore

/// How long a connection may go without moving bytes. There is no limit on a transfer as a whole.
package struct ConnectionTimeouts: Sendable {
    /// From connecting, or from the first byte of a later request, to the end of the request's header; TLS included.
    package var header: TimeAmount = .seconds(30)
    /// Between an answer and the next request.
    package var keepAlive: TimeAmount = .seconds(90)
    /// While the hub waits for bytes of a body or for the client to take bytes of an answer.
    package var stalled: TimeAmount = .seconds(120)
    /// After the last answer, for the client to close first.
    package var linger: TimeAmount = .seconds(5)

    package init() {}
}

/// What one connection is doing, shared by its handlers on its event loop.
final class ConnectionActivity {
    enum Phase: Equatable {
        /// No request is being read or answered. `hasBytes`: some of the next one's header came.
        case waiting(since: NIODeadline, hasBytes: Bool)
        /// A request is being read or answered.
        case exchanging
        /// The last answer is written; what the client still sends is thrown away.
        case closing(since: NIODeadline?)
    }

    var phase: Phase
    /// The first request has a deadline from the start of the connection.
    var isFirst = true
    /// The hub is stopping: no further request on this connection.
    var isStopping = false
    /// The request in progress is of HTTP/1.0, which knows no chunks and closes after the answer.
    var isHTTP10 = false
    var receivedBytes: Int64 = 0
    /// Someone asked for bytes that have not come. Reads are asked for ahead, also of the next request.
    var isReadPending = false
    /// The head of a request came and the end of its body did not.
    var isBodyOpen = false
    /// The client waits for `100 Continue` before it sends the body.
    var awaitsContinue = false

    /// The hub waits for bytes that the client owes it.
    var isAwaitingBody: Bool { isBodyOpen && isReadPending && !awaitsContinue }

    init(now: NIODeadline) { phase = .waiting(since: now, hasBytes: false) }
}
