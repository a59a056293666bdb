import HubCore

/// Why the store did not take or give an object.
package enum ObjectStoreError: Error, Equatable {
    case missing(ObjectID)
    /// The bytes have another hash than promised.
    case wrongHash(expected: ObjectID, actual: ObjectID)
    /// More or fewer bytes came than promised; `actual` is what came before the upload was given up.
    case wrongSize(expected: Int64, actual: Int64)
    /// The disk has no room for the object beside what is kept free for the database.
    case outOfSpace
    /// What is on disk is not what the name says.
    case damaged(ObjectID)
    /// No unfinished upload of this name: it expired, was completed or never began.
    case uploadNotFound
    /// A part of an upload does not lie within the object.
    case invalidPart
    /// Bytes of the upload are still being written, or somebody else is completing it.
    case uploadBusy
    /// An upload cannot be completed before all its bytes are there.
    case incompleteUpload
}

extension ObjectStoreError: Refusal {
    package var problem: Problem {
        switch self {
        case .missing(let id): Problem(.missing, code: "object_not_found", "There is no object \(id).")
        case .wrongHash(let expected, let actual):
            Problem(
                .unprocessable, code: "wrong_hash",
                "The content has the SHA-256 \(actual), not \(expected). It was changed on the way or on your disk; nothing was stored.")
        case .wrongSize(let expected, let actual):
            Problem(
                .unprocessable, code: "wrong_size",
                actual > expected
                    ? "The content is larger than the \(expected) bytes announced; nothing was stored."
                    : "The content has \(actual) bytes, not the \(expected) announced; nothing was stored.")
        case .outOfSpace:
            Problem(.outOfSpace, code: "out_of_space", "The hub's disk is full; nothing was stored. Tell its administrator.")
        case .damaged(let id):
            Problem(
                .unavailable, code: "object_damaged",
                "The hub's copy of object \(id) is damaged. Tell its administrator; uploading it again mends it.",
                retryAfter: .seconds(60))
        case .uploadNotFound:
            Problem(.missing, code: "upload_not_found", "This upload expired or was completed; start it again.")
        case .invalidPart: Problem(.invalid, code: "invalid_part", "The part does not fit the upload.")
        case .uploadBusy:
            Problem(
                .unavailable, code: "upload_busy", "A part of the upload is still being received; try again.",
                retryAfter: .seconds(2))
        case .incompleteUpload:
            Problem(.unprocessable, code: "incomplete_upload", "Parts of the upload are missing; send them, then complete it.")
        }
    }
}

/// A system call on the store's files that failed for a reason the caller cannot mend: a fault of the hub, not a refusal.
package struct FileFault: Error, Equatable, CustomStringConvertible {
    package let operation: String
    package let code: Int32

    package var description: String { "\(operation): errno \(code)" }
}
