import HubCore

/// Why a request's body could not be read to its end. The connection is of no further use; whatever was being stored is dropped.
package enum RequestBodyError: Error, Equatable {
    /// The client went away, or stalled for longer than the idle time-out.
    case ended
    /// What came is not HTTP: a bad chunk header, say.
    case malformed
}

extension RequestBodyError: Refusal {
    package var problem: Problem {
        switch self {
        case .ended: Problem(.invalid, code: "body_incomplete", "The request's body ended early; nothing was stored.")
        case .malformed: Problem(.invalid, code: "body_malformed", "The request's body is not valid HTTP.")
        }
    }
}
