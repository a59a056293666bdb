import CHubPlatform
import GRDB

/// Law 3: an I/O error while committing leaves the outcome unknown; the process ends and the restart decides.
enum CommitOutcome {
    /// Ends the process if `COMMIT` failed in a way that leaves unknown whether the transaction lasts.
    ///
    /// A full disk does not: the frame that commits was never written.
    static func endProcessIfUnknown(after error: any Error) {
        guard let error = error as? DatabaseError, error.resultCode == .SQLITE_IOERR else { return }
        endProcess("A commit failed with SQLite code \(error.extendedResultCode.rawValue)")
    }

    static func endProcess(_ what: String) -> Never {
        hub_sqlite_outcome_unknown(what)
    }
}
