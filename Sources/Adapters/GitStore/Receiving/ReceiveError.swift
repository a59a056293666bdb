import HubCore

/// Why a received pack is refused.
///
/// The sentences are shown by git to whoever pushes.
package enum ReceiveError: Error, Hashable {
    /// The bytes are no pack, or not one that git would write.
    case malformedPack(String)
    /// The pack, or what it claims to hold, is larger than the hub takes; `limit` says which limit and its value.
    case overLimit(String)
    /// An object breaks a rule that `git fsck --strict` holds; `rule` is git's name for it.
    case brokenRule(GitOID, GitObjectType, rule: String, String)
    /// Something in the pack, or a ref, names an object that neither the pack nor the repository has.
    case missingObject(GitOID, GitObjectType?)
    /// A thin pack builds on an object that the repository does not have.
    case missingBase(GitOID)
    /// An object is of another type than what names it says.
    case wrongType(GitOID, expected: GitObjectType, found: GitObjectType)
    /// A ref would name a tag of a tag of a tag and so on, further than the hub follows.
    case tagChainTooLong(GitOID)
    /// The pack holds an object of this name twice.
    case duplicateObject(GitOID)
    /// The repository has an object of this name with other bytes.
    case collision(GitOID)
}

extension ReceiveError: Refusal {
    package var problem: Problem {
        switch self {
        case .malformedPack(let what): Problem(.invalid, code: "malformed_pack", "The pack is refused: \(what).")
        case .overLimit(let what): Problem(.tooLarge, code: "pack_too_large", "The push is refused: \(what).")
        case .brokenRule(let oid, let type, let rule, let what):
            Problem(
                .invalid, code: "broken_object_rule", "The \(type.name) \(oid) is refused: \(rule): \(what).")
        case .missingObject(let oid, let type):
            Problem(
                .invalid, code: "missing_object",
                "The push is incomplete: it needs the \(type?.name ?? "object") \(oid), which was not sent.")
        case .missingBase(let oid):
            Problem(
                .invalid, code: "missing_delta_base",
                "The pack builds on the object \(oid), which the repository does not have; fetch and push again.")
        case .wrongType(let oid, let expected, let found):
            Problem(
                .invalid, code: "wrong_object_type",
                "The object \(oid) is named as a \(expected.name) but is a \(found.name).")
        case .tagChainTooLong(let oid):
            Problem(
                .invalid, code: "tag_chain_too_long",
                "The tag \(oid) is refused: it leads through more than \(GitObjects.maximumTagChain) tags.")
        case .duplicateObject(let oid):
            Problem(.invalid, code: "duplicate_object", "The pack holds the object \(oid) twice.")
        case .collision(let oid):
            Problem(
                .conflict, code: "object_collision",
                "The repository has another object with the name \(oid): a SHA-1 collision.")
        }
    }
}
