import HubCore

/// Why a xorb or a shard was refused for what it is.
package enum XetFormatError: Error, Equatable {
    /// The bytes are no xorb; says where and what.
    case malformedXorb(String)
    case xorbTooLarge
    case wrongXorbHash(expected: XetHash, actual: XetHash)
    case malformedShard(String)
    case shardTooLarge
}

extension XetFormatError: Refusal {
    package var problem: Problem {
        switch self {
        case .malformedXorb(let what): Problem(.invalid, code: "invalid_xorb", "The xorb is malformed: \(what).")
        case .xorbTooLarge:
            Problem(
                .tooLarge, code: "xorb_too_large",
                "A xorb has at most \(XetLimits.xorbBytes >> 20) MiB of data in \(XetLimits.xorbChunks) chunks.")
        case .wrongXorbHash(let expected, let actual):
            Problem(
                .invalid, code: "wrong_xorb_hash",
                "The xorb's content has the hash \(actual), not \(expected); it was changed on the way. Nothing was stored."
            )
        case .malformedShard(let what): Problem(.invalid, code: "invalid_shard", "The shard is malformed: \(what).")
        case .shardTooLarge:
            Problem(.tooLarge, code: "shard_too_large", "A shard has at most \(XetLimits.shardBytes >> 20) MiB.")
        }
    }
}
