import HubCore

/// Why a xorb or a file of the Xet protocol was not taken or given.
package enum XetStoreError: Error, Equatable {
    case missingXorb(XetHash)
    case damagedXorb(XetHash)
    /// A file names chunks of a xorb that it does not have, or other lengths than they have.
    case wrongTerm(XetHash)
    /// The check of a term is missing or is not that of its chunks: the sender does not have its content.
    case unprovedTerm(XetHash)
    case wrongFileHash(expected: XetHash, actual: XetHash)
    case wrongSHA256(expected: ObjectID, actual: ObjectID)
    case fileTooLarge(limit: Int64)
}

extension XetStoreError: Refusal {
    package var problem: Problem {
        switch self {
        case .missingXorb(let hash):
            Problem(
                .invalid, code: "unknown_xorb",
                "This hub does not have xorb \(hash). If the client remembers it from an earlier upload, delete the folder xet in "
                    + "its HF_HOME and upload again.")
        case .damagedXorb(let hash):
            Problem(
                .unavailable, code: "xorb_damaged",
                "The hub's copy of xorb \(hash) is damaged. Tell its administrator.",
                retryAfter: .seconds(60))
        case .wrongTerm(let hash):
            Problem(
                .invalid, code: "wrong_term",
                "A file in the shard names chunks or lengths that xorb \(hash) does not have.")
        case .unprovedTerm(let hash):
            Problem(
                .invalid, code: "unproved_term",
                "A file in the shard uses xorb \(hash) without proving that you have its content.")
        case .wrongFileHash(let expected, let actual):
            Problem(.invalid, code: "wrong_file_hash", "The chunks of file \(expected) make file \(actual).")
        case .wrongSHA256(let expected, let actual):
            Problem(
                .invalid, code: "wrong_hash",
                "The content has the SHA-256 \(actual), not \(expected). Nothing was recorded.")
        case .fileTooLarge(let limit):
            Problem(.tooLarge, code: "object_too_large", "A file has at most \(limit) bytes.")
        }
    }
}
