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
    /// A file is cut into chunks much shorter than clients make them.
    case chunksTooSmall
    /// The shard names the same chunks so often that checking it would cost more than `ShardWork` allows.
    case tooMuchWork
}

extension XetStoreError: Refusal {
    package var problem: Problem {
        switch self {
        // Whether others have a xorb is not told to who cannot prove to have its content: these three look the same.
        case .missingXorb(let hash), .wrongTerm(let hash), .unprovedTerm(let hash):
            Problem(
                .invalid, code: "unknown_xorb",
                "This hub does not have these parts of xorb \(hash). If the client remembers it from an earlier upload, delete "
                    + "the folder xet in its HF_HOME and upload again.")
        case .damagedXorb(let hash):
            Problem(
                .unavailable, code: "xorb_damaged",
                "The hub's copy of xorb \(hash) is damaged. Tell its administrator.",
                retryAfter: .seconds(60))
        case .wrongFileHash(let expected, let actual):
            Problem(.invalid, code: "wrong_file_hash", "The chunks of file \(expected) make file \(actual).")
        case .wrongSHA256(let expected, let actual):
            Problem(
                .invalid, code: "wrong_hash",
                "The content has the SHA-256 \(actual), not \(expected). Nothing was recorded.")
        case .fileTooLarge(let limit):
            Problem(.tooLarge, code: "object_too_large", "A file has at most \(limit) bytes.")
        case .chunksTooSmall:
            Problem(
                .invalid, code: "chunks_too_small",
                "A file in the shard is cut into chunks of less than \(XetLimits.averageChunkBytes) bytes on average.")
        case .tooMuchWork:
            Problem(
                .invalid, code: "too_much_repetition",
                "Files in the shard repeat the same content more often than the hub takes. Upload them with "
                    + "HF_HUB_DISABLE_XET=1.")
        }
    }
}
