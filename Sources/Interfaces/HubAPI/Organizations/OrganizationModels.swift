import FoundationEssentials
import HubCore
import MetadataStore

package struct OrganizationModel: APIModel {
    package let id: String
    package let name: String
    @OrNull package var fullName: String? = nil
    package let createdAt: Date

    init(_ organization: Organization) {
        id = organization.id.description
        name = organization.name.text
        _fullName = OrNull(wrappedValue: organization.fullName)
        createdAt = organization.createdAt
    }

    package static var schema: Schema {
        .object(
            "Organization", "A group that owns repositories.",
            [
                .required("id", .id, ""),
                .required("name", .text, ""),
                .required("full_name", .nullable(.text), ""),
                .required("created_at", .time, ""),
            ])
    }
}

package struct NewOrganizationModel: APIModel {
    package var name: String
    package var fullName: String?

    package init(name: String, fullName: String? = nil) {
        self.name = name
        self.fullName = fullName
    }

    package static var schema: Schema {
        .object(
            "NewOrganization", "An organization to be created.",
            [
                .required("name", .text(atMost: 96), "Letters, digits, “-”, “_” and “.”."),
                .optional("full_name", .nullable(.text(atMost: 200)), ""),
            ])
    }
}

package struct OrganizationPatch: APIModel {
    package let fullName: PatchField<String>

    package static var schema: Schema {
        .object(
            "OrganizationPatch", "What changes of an organization.",
            [.optional("full_name", .nullable(.text(atMost: 200)), "")])
    }
}

package struct MemberModel: APIModel {
    package let account: String
    @OrNull package var fullName: String? = nil
    package let role: OrganizationRole
    package let since: Date

    init(_ member: Member) {
        account = member.account.name.text
        _fullName = OrNull(wrappedValue: member.account.fullName)
        role = member.role
        since = member.since
    }

    package static var schema: Schema {
        .object(
            "Member", "An account in an organization.",
            [
                .required("account", .text, "The account's name."),
                .required("full_name", .nullable(.text), ""),
                .required("role", .words(of: OrganizationRole.self), "Each includes those before it."),
                .required("since", .time, ""),
            ])
    }
}

package struct MemberRoleModel: APIModel {
    package let role: OrganizationRole

    package init(role: OrganizationRole) { self.role = role }

    package static var schema: Schema {
        .object("MemberRole", "What a member may do.", [.required("role", .words(of: OrganizationRole.self), "")])
    }
}
