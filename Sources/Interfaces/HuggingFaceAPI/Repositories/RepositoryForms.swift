import HubCore

/// `POST /api/repos/create`. hf-hub-api §2.
package struct CreationForm: Decodable, Sendable {
    package struct Variable: Decodable, Sendable {
        package let key: String
        package let value: String?
        package let description: String?
    }

    package let name: String
    package let organization: String?
    package let type: String?
    let visibility: String?
    let `private`: Bool?
    package let sdk: String?
    package let template: String?
    package let hardware: String?
    package let secrets: [Variable]?
    package let variables: [Variable]?
}

/// `DELETE /api/repos/delete`.
struct DeletionForm: Decodable {
    let name: String
    let organization: String?
    let type: String?
}

/// `POST /api/repos/move`.
struct MoveForm: Decodable {
    let fromRepo: String
    let toRepo: String
    let type: String?
}

/// `POST /api/{kinds}/{repo}/duplicate`.
struct DuplicationForm: Decodable {
    let repository: String?
    let visibility: String?
    let `private`: Bool?
}

/// `PUT /api/{kinds}/{repo}/settings`. Clients before 2.0 say `private`.
package struct SettingsForm: Decodable, Sendable {
    /// `false`, `"auto"` or `"manual"`.
    package enum Gating: Decodable, Sendable, Equatable {
        case off, auto, manual

        package init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {  // Else it is a word.
                self = flag ? .auto : .off
                return
            }
            switch try container.decode(String.self) {
            case "auto": self = .auto
            case "manual": self = .manual
            case "false", "": self = .off
            default:
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "gated is auto, manual or false")
            }
        }
    }

    let visibility: String?
    let `private`: Bool?
    package let gated: Gating?
    package let gatedNotificationsEmail: String?
    package let discussionsDisabled: Bool?
    let description: String?
}

extension Visibility {
    /// What the words of clients mean; `nil` when they say nothing.
    ///
    /// `protected` is for spaces whose app is public and whose files are not; here they are private.
    init?(word: String?, isPrivate: Bool?) throws(HubAPIError) {
        switch word {
        case nil:
            guard let isPrivate else { return nil }
            self = isPrivate ? .private : .public
        case "public": self = .public
        case "private", "protected": self = .private
        case "internal": self = .internal
        case let other?:
            throw .invalidRequest("“\(other.shortened)” is no visibility; use public, internal or private.")
        }
    }

    /// The word that clients know.
    var hubWord: String { self == .private ? "private" : "public" }
}

extension RepositoryKind {
    /// The `type` of a body; absent means model.
    init(hubType: String?) throws(HubAPIError) {
        guard let hubType, !hubType.isEmpty else {
            self = .model
            return
        }
        guard let kind = RepositoryKind(rawValue: hubType) else {
            throw .invalidRequest("“\(hubType.shortened)” is no type of repository here; use model, dataset or space.")
        }
        self = kind
    }
}
