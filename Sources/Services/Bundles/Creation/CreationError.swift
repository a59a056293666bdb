import BundleFormat
import HubCore

/// Why a bundle cannot be made.
package enum CreationError: Error, Equatable {
    /// A source cannot be used: its path or name, and what is wrong with it.
    case badSource(String, reason: String)
    /// There is nothing to put into the bundle.
    case nothingToSend
    /// Two sources have the same name.
    case duplicate(String)
    /// A medium has less room than it must take.
    case mediumTooSmall(path: String, neededBytes: Int64, freeBytes: Int64)
    /// The bundle needs another medium and nobody is there to be asked.
    case nextMedium(number: Int, of: Int, path: String)
    /// A file of the work folder is not what was left there.
    case damagedWork(path: String)
    /// The system refused something in the work folder or on a medium.
    case system(operation: String, path: String, code: Int32)
}

extension CreationError: Refusal {
    package var problem: Problem {
        switch self {
        case .badSource(let name, let reason): Problem(.invalid, code: "bad_source", "\(name) \(reason).")
        case .nothingToSend:
            Problem(.conflict, code: "nothing_to_send", "There is nothing to send: the target has all of it already.")
        case .duplicate(let name):
            Problem(.invalid, code: "duplicate_source", "\(name) is named twice; each name can be in a bundle once.")
        case .mediumTooSmall(let path, let needed, let free):
            Problem(
                .outOfSpace, code: "medium_too_small",
                "\(path) has \(free) bytes free and must take \(needed); make room or choose a larger medium.")
        case .nextMedium(let number, let count, let path):
            Problem(
                .unavailable, code: "next_medium",
                "Medium \(number) of \(count) is needed. Put it in at \(path) and repeat the command; what is done stays done.")
        case .damagedWork(let path):
            Problem(
                .unprocessable, code: "damaged_work", "What an earlier run left in \(path) cannot be read; remove that folder and repeat.")
        case .system(let operation, let path, let code):
            Problem(
                code == 28 ? .outOfSpace : .unavailable, code: "file_error",
                "\(operation) of \(path) failed: \(SystemText.of(code)).")
        }
    }
}
