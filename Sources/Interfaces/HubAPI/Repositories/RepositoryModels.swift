import FoundationEssentials
import HubCore

package struct RepositoryModel: APIModel {
    package let id: String
    package let kind: RepositoryKind
    package let namespace: String
    package let name: String
    package let visibility: Visibility
    package let gate: Gate
    package let defaultBranch: String
    /// It was imported and takes no local changes.
    package let isProtected: Bool
    @OrNull package var description: String? = nil
    package let createdAt: Date
    package let updatedAt: Date
    @OrNull package var deletedAt: Date? = nil

    init(_ repository: Repository) {
        id = repository.id.description
        kind = repository.kind
        namespace = repository.name.owner.text
        name = repository.name.name
        visibility = repository.visibility
        gate = Gate(repository.gating)
        defaultBranch = repository.defaultBranch
        isProtected = repository.isProtected
        _description = OrNull(wrappedValue: repository.description)
        createdAt = repository.createdAt
        updatedAt = repository.updatedAt
        _deletedAt = OrNull(wrappedValue: repository.deletedAt)
    }

    /// `models/ada/bert`
    package var reference: String { "\(kind.gitPathPart)/\(namespace)/\(name)" }

    package static var schema: Schema {
        .object(
            "Repository", "A repository, without its content.",
            [
                .required("id", .id, ""),
                .required("kind", .words(of: RepositoryKind.self), ""),
                .required("namespace", .text, "The account or organization that owns it."),
                .required("name", .text, "Its name within the name space."),
                .required("visibility", .words(of: Visibility.self), ""),
                .required("gate", .words(of: Gate.self), "Whether its files are for those who asked, or who were let in."),
                .required("default_branch", .text, "The branch that HEAD names; it may not exist yet."),
                .required("is_protected", .boolean, "It was imported and takes no local changes."),
                .required("description", .nullable(.text), ""),
                .required("created_at", .time, ""),
                .required("updated_at", .time, "Of its last push or change."),
                .required("deleted_at", .nullable(.time), "Set while it can still be restored."),
            ])
    }
}

package struct NewRepositoryModel: APIModel {
    package var kind: RepositoryKind
    package var namespace: String
    package var name: String
    package var visibility: Visibility?
    package var defaultBranch: String?
    package var description: String?

    package init(
        kind: RepositoryKind, namespace: String, name: String, visibility: Visibility? = nil,
        defaultBranch: String? = nil,
        description: String? = nil
    ) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.visibility = visibility
        self.defaultBranch = defaultBranch
        self.description = description
    }

    package static var schema: Schema {
        .object(
            "NewRepository", "A repository to be created.",
            [
                .required("kind", .words(of: RepositoryKind.self), ""),
                .required("namespace", .text(atMost: 96), "An account or an organization."),
                .required("name", .text(atMost: 96), ""),
                .optional("visibility", .nullable(.words(of: Visibility.self)), "`private` unless told."),
                .optional("default_branch", .nullable(.text(atMost: 255)), "`main` unless told."),
                .optional("description", .nullable(.text(atMost: 2000)), ""),
            ])
    }
}

package struct RepositoryPatch: APIModel {
    package var visibility: Visibility?
    package var gate: Gate?
    package var defaultBranch: String?
    package var isProtected: Bool?
    package var description: PatchField<String>

    package init(
        visibility: Visibility? = nil, gate: Gate? = nil, defaultBranch: String? = nil, isProtected: Bool? = nil,
        description: PatchField<String> = .keep
    ) {
        self.visibility = visibility
        self.gate = gate
        self.defaultBranch = defaultBranch
        self.isProtected = isProtected
        self.description = description
    }

    package static var schema: Schema {
        .object(
            "RepositoryPatch", "What changes of a repository; what is left out stays.",
            [
                .optional("visibility", .words(of: Visibility.self), ""),
                .optional("gate", .words(of: Gate.self), ""),
                .optional("default_branch", .text(atMost: 255), ""),
                .optional(
                    "is_protected", .boolean,
                    "An imported repository takes no local changes as long as this is true; administrators of the hub only."),
                .optional("description", .nullable(.text(atMost: 2000)), ""),
            ])
    }
}

package struct RepositoryMove: APIModel {
    package var namespace: String?
    package var name: String?

    package init(namespace: String? = nil, name: String? = nil) {
        self.namespace = namespace
        self.name = name
    }

    package static var schema: Schema {
        .object(
            "RepositoryMove", "A new name; the old one leads to it until another repository takes it.",
            [
                .optional("namespace", .nullable(.text(atMost: 96)), "The new owner; the same unless told."),
                .optional("name", .nullable(.text(atMost: 96)), "The same unless told."),
            ])
    }
}

package struct CollaboratorModel: APIModel {
    package let account: String
    package let role: CollaboratorRole

    package static var schema: Schema {
        .object(
            "Collaborator", "An account with a role in one repository.",
            [.required("account", .text, ""), .required("role", .words(of: CollaboratorRole.self), "")])
    }
}

package struct CollaboratorRoleModel: APIModel {
    package let role: CollaboratorRole

    package static var schema: Schema {
        .object(
            "CollaboratorRole", "What a collaborator may do.",
            [.required("role", .words(of: CollaboratorRole.self), "")])
    }
}
