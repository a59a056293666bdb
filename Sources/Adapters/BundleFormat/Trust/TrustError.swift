import HubCore

/// Why a bundle or a list of keys is not trusted. Each is the end before a volume is read, with exit status 77.
package enum TrustError: Error, Equatable {
    /// There is no signature beside the manifest, or none in it.
    case unsigned
    /// The signature is of other bytes than the manifest, or speaks of something else.
    case otherContent
    /// A signature names this key, and the key did not make it.
    case wrongSignature(keyID: String)
    /// The publisher is known; none of the signatures is by a key that signs its bundles now.
    case foreignKey(publisher: String)
    /// Fewer keys signed than the publisher's rule wants.
    case tooFewSignatures(publisher: String, have: Int, need: Int)
    case revokedKey(publisher: String, fingerprint: String, reason: String)
    /// An administrator ended the trust in this publisher.
    case withdrawn(publisher: String, reason: String)
    /// A list of keys is not what its format says.
    case invalidRoot(file: String, reason: String)
    /// A version of the list of keys is missing between two others.
    case missingRoot(publisher: String, version: Int)
    /// A list of keys is not signed as it must be, by those of its own version or of the one before.
    case unsignedRoot(publisher: String, version: Int, reason: String)
    /// There are two lists of keys of the same version.
    case forkedRoot(publisher: String, version: Int)
    /// The signers have published a later bundle of this stream here.
    case olderSequence(publisher: String, stream: String, sequence: Int64, known: Int64)
    /// Nobody here has said that this publisher is trusted.
    case unknownPublisher(UnknownPublisher)
    /// The fingerprint that was given is another one.
    case otherFingerprint(publisher: String, found: String)
    case unknownKey(String)
    /// The publisher is trusted already, from another first list of keys.
    case otherFirstRoot(publisher: String)
    /// Trust in it comes from a file of the settings folder.
    case readOnly(publisher: String)
}

extension TrustError: Refusal {
    package var problem: Problem {
        switch self {
        case .unsigned:
            .forbidden(
                "unsigned", "The bundle carries no signature. Get it from its publisher again; nothing of it was read.")
        case .otherContent:
            .forbidden(
                "wrong_signature",
                "The signature is not one of this BUNDLE.json: one of the two was changed or damaged. Copy the bundle from its source again."
            )
        case .wrongSignature(let keyID):
            .forbidden(
                "wrong_signature",
                "The signature is not by the key \(Fingerprint.short(keyID)) that it names: the bundle was changed or damaged. "
                    + "Copy it from its source again.")
        case .foreignKey(let publisher):
            .forbidden(
                "foreign_key",
                "The bundle says that it is by \(publisher), but no key that signs for \(publisher) today has signed it. "
                    + "Ask the publisher; if it replaced its key, the bundle must be signed again.")
        case .tooFewSignatures(let publisher, let have, let need):
            .forbidden(
                "too_few_signatures",
                "\(publisher) wants \(need) signatures on a bundle and this one has \(have). "
                    + "Have it signed with “csghub bundle sign PATH --key KEY”.")
        case .revokedKey(let publisher, let fingerprint, let reason):
            .forbidden(
                "revoked_key",
                "The bundle is signed by a key of \(publisher) that was revoked (\(reason)). Its fingerprint: \(fingerprint)"
            )
        case .withdrawn(let publisher, let reason):
            .forbidden("withdrawn", "Bundles of \(publisher) are not trusted here any more: \(reason).")
        case .invalidRoot(let file, let reason):
            .forbidden("invalid_root", "\(file) is no list of keys to trust: \(reason).")
        case .missingRoot(let publisher, let version):
            .forbidden(
                "missing_root",
                "The list of keys of \(publisher) with version \(version) is missing (trust/root.\(version).json), so later ones prove nothing. "
                    + "Get the bundle from its publisher again.")
        case .unsignedRoot(let publisher, let version, let reason):
            .forbidden(
                "unsigned_root", "The list of keys of \(publisher) with version \(version) is not valid: \(reason).")
        case .forkedRoot(let publisher, let version):
            .forbidden(
                "forked_root",
                "The list of keys of \(publisher) with version \(version) is not the one that is known here. Two people may use the keys; ask the publisher."
            )
        case .olderSequence(let publisher, let stream, let sequence, let known):
            .forbidden(
                "older_bundle",
                "This is bundle \(sequence) of \(publisher)’s stream \(stream), and \(known) was imported already. "
                    + "If the older one is wanted, import it with --allow-older --reason TEXT.")
        case .unknownPublisher(let unknown): .forbidden("unknown_publisher", unknown.message)
        case .otherFingerprint(let publisher, let found):
            .forbidden(
                "other_fingerprint",
                "The fingerprint of \(publisher) in this file is another one: \(found). Nothing was trusted.")
        case .unknownKey(let text):
            Problem(
                .missing, code: "unknown_key",
                "No publisher and no key is known here as \(text.prefix(100)); see “csghub trust show”.")
        case .otherFirstRoot(let publisher):
            .forbidden(
                "other_first_root",
                "\(publisher) is trusted here already, and its list of keys does not follow from this one. "
                    + "If it had to begin anew, end the old trust first: csghub trust revoke \(publisher) --reason TEXT"
            )
        case .readOnly(let publisher):
            Problem(
                .conflict, code: "trust_is_read_only",
                "\(publisher) is trusted by a file in the settings folder’s trust/; an administrator of the machine changes it there."
            )
        }
    }
}

extension Problem {
    fileprivate static func forbidden(_ code: String, _ message: String) -> Problem {
        Problem(.forbidden, code: code, message)
    }
}

extension Fingerprint {
    /// The first groups, enough to recognize a key that is known.
    package static func short(_ keyID: String) -> String { String(text(keyID).prefix(19)) + " …" }
}

/// A publisher whose bundle arrived and whom nobody has trusted yet.
package struct UnknownPublisher: Hashable, Sendable {
    package let publisher: String
    /// Of the keys that came with the bundle: proof of nothing until a person compares it.
    package let fingerprint: String
    /// The file to trust, on the medium; `nil` when the bundle brought none.
    package let rootFile: String?

    package init(publisher: String, fingerprint: String, rootFile: String?) {
        self.publisher = publisher
        self.fingerprint = fingerprint
        self.rootFile = rootFile
    }

    /// What an administrator types once the fingerprint is compared.
    package var command: String { "csghub trust add \(ShellWord.quoted(rootFile ?? "ROOT-FILE"))" }

    package var message: String {
        """
        The bundle is by \(publisher), whom this hub does not know. Its fingerprint is
            \(fingerprint)
        Compare it with the one that \(publisher) gave you by another way. If they are the same, trust it, then repeat the command:
            \(command)
        """
    }
}

/// A word for a shell.
package enum ShellWord {
    package static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "/._-+=:@%".utf8.contains(byte)
                }
            }
        return isPlain ? text : "'" + text.replacing("'", with: #"'\''"#) + "'"
    }
}
