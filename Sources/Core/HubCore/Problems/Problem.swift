/// Why the hub refused, in a form that every interface can answer from: a kind, a stable code, a sentence for people.
///
/// It knows nothing of HTTP, SSH or exit codes; each interface has one table that maps `Kind` to its own form.
package struct Problem: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The request is malformed or breaks a rule; repeating it does not help.
        case invalid
        /// Well-formed, but its content does not match what was promised (a hash, a size).
        case unprocessable
        /// Nobody signed in, or the credentials are wrong or expired.
        case unauthenticated
        /// Signed in and allowed to see the thing, but not to do this.
        case forbidden
        /// No such thing, or the caller may not know that there is one.
        case missing
        /// It clashes with the present state; look again and retry.
        case conflict
        /// Larger than a stated limit.
        case tooLarge
        /// Too many attempts; `retryAfter` says when to come back.
        case throttled
        /// The hub cannot do it now: stopping, queue full; retry later.
        case unavailable
        /// The disk or a quota is full.
        case outOfSpace
        /// Asked for a feature that this hub does not have.
        case unsupported
    }

    package let kind: Kind
    /// Stable, for programs: `repository_not_found`.
    package let code: String
    /// One sentence or two, for people; says what to do next. Holds no path, query, host name or secret.
    package let message: String
    /// When to try again, for `.throttled` and `.unavailable`.
    package let retryAfter: Duration?

    package init(_ kind: Kind, code: String, _ message: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }
}

/// An error that says why the hub refused. An error that is no `Refusal` is a fault of the hub.
package protocol Refusal: Error {
    var problem: Problem { get }
}

/// A `Problem` thrown as it is, where an area needs no cases of its own.
package struct ProblemError: Refusal {
    package let problem: Problem

    package init(_ problem: Problem) { self.problem = problem }

    package init(_ kind: Problem.Kind, code: String, _ message: String) {
        problem = Problem(kind, code: code, message)
    }
}

extension Collection<String> {
    /// For messages: the first names, and how many more there are.
    package func listed(atMost limit: Int) -> String {
        prefix(limit).joined(separator: ", ") + (count > limit ? " and \(count - limit) more" : "")
    }
}
