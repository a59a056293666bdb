import HubCore
import HubServer

/// How a verb ends, as `sysexits.h` numbers it.
package enum ExitStatus: Int32, Sendable {
    case done = 0
    case failed = 1
    case usage = 64
    case badData = 65
    case unavailable = 69
    case tryAgain = 75
    case notPermitted = 77
}

/// Why a verb failed: its exit status and a sentence that says what to do.
package struct CommandFailure: Error, Equatable {
    package let status: ExitStatus
    package let message: String
    /// The code of the hub's refusal, where it was one: `repository_not_found`.
    package let code: String?

    package init(_ status: ExitStatus, _ message: String, code: String? = nil) {
        self.status = status
        self.message = message
        self.code = code
    }
}

extension ExitStatus {
    /// The status for what the hub answered.
    init(httpStatus: Int) {
        switch httpStatus {
        case 400, 413, 422: self = .badData
        case 401, 403: self = .notPermitted
        case 429, 503: self = .tryAgain
        case 501: self = .unavailable
        default: self = .failed
        }
    }

    init(_ kind: Problem.Kind) {
        switch kind {
        case .invalid, .unprocessable, .tooLarge: self = .badData
        case .unauthenticated, .forbidden: self = .notPermitted
        case .missing, .conflict, .outOfSpace: self = .failed
        case .throttled, .unavailable: self = .tryAgain
        case .unsupported: self = .unavailable
        }
    }
}

extension CommandFailure {
    /// What any error means for the person at the terminal.
    package init(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as StartError:
            self.init(error.exitStatus, error.problem.message, code: error.problem.code)
        case let refusal as any Refusal:
            self.init(ExitStatus(refusal.problem.kind), refusal.problem.message, code: refusal.problem.code)
        case is CancellationError: self.init(.failed, "Interrupted.")
        default: self.init(.failed, "The command failed: \(error).")
        }
    }
}

extension StartError {
    /// Only the lock of a data directory becomes free by itself.
    fileprivate var exitStatus: ExitStatus {
        switch self {
        case .badSetting(let key, _): key.hasPrefix("--") ? .usage : .badData
        case .certificate: .badData
        case .alreadyRunning: .tryAgain
        case .portInUse, .cannotListen, .dataFolder: .unavailable
        }
    }
}
