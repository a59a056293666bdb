/// The name of an account or an organization, the first part of `owner/name`. The two share one name space.
///
/// `A–Z a–z 0–9 - _ .`, 1 to 96 characters; starts and ends with a letter, digit or `_`; no `--` and no `..`; not a reserved word
/// (`ReservedWords`). Names keep their case and are unique without it. Source: `validate_repo_id` in huggingface_hub
/// `utils/_validators.py`, so that clients accept every name the hub does.
package struct NamespaceName: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init(parsing text: String) throws(NameError) {
        guard NameRules.isValidPart(text) else { throw .invalidNamespace(text) }
        guard !ReservedWords.contains(text) else { throw .reserved(text) }
        self.text = text
    }

    /// A name that the database already holds.
    package init(trusted text: String) { self.text = text }

    /// What makes two names the same: the text in lower case.
    package var key: String { text.lowercased() }
    package var description: String { text }
}

/// The rules that names of accounts, organizations and repositories share.
enum NameRules {
    static let maximumLength = 96

    static func isValidPart(_ text: some StringProtocol) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, let last = bytes.last, bytes.count <= maximumLength else { return false }
        guard isWord(first), isWord(last) else { return false }
        var previous: UInt8 = 0
        for byte in bytes {
            guard isWord(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") else { return false }
            if byte == previous, !isWord(byte) { return false }
            previous = byte
        }
        return true
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// Why a text is not the name of an account, organization or repository.
package enum NameError: Error, Equatable {
    case invalidNamespace(String)
    case invalidRepositoryName(String)
    case invalidRepositoryReference(String)
    case reserved(String)
}

extension NameError: Refusal {
    package var problem: Problem {
        switch self {
        case .invalidNamespace(let text):
            Problem(
                .invalid, code: "invalid_name",
                "“\(text.shortened)” is not a valid name. Use letters, digits, “-”, “_” and “.”, at most 96 characters, starting "
                    + "and ending with a letter, a digit or “_”, without “--” or “..”.")
        case .invalidRepositoryName(let text):
            Problem(
                .invalid, code: "invalid_repository_name",
                "“\(text.shortened)” is not a valid repository name. Write owner/name; each part has letters, digits, “-”, “_” and "
                    + "“.”, at most 96 characters, without “--” or “..”, and the name does not end in “.git”.")
        case .invalidRepositoryReference(let text):
            Problem(
                .invalid, code: "invalid_repository",
                "“\(text.shortened)” does not name a repository. Write a kind and a name, as in “model ada/bert” or "
                    + "“models/ada/bert”. Kinds: model, dataset, space, code.")
        case .reserved(let text):
            Problem(.invalid, code: "reserved_name", "“\(text.shortened)” is a reserved word of the hub; choose another name.")
        }
    }
}

extension String {
    /// At most 80 characters of hostile input, for a message.
    package var shortened: String { count <= 80 ? self : String(prefix(80)) + "…" }
}
