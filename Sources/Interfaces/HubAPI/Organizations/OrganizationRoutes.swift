import HTTPTypes
import HubCore
import Identity
import MetadataStore

/// Organizations and their members.
struct OrganizationRoutes {
    let identity: Identity

    var routes: [APIRoute] {
        [
            .answering(
                .get, "/organizations", "listOrganizations", "Lists the organizations by name.",
                query: APIParameter.paging
            ) {
                [identity] call in
                let page = try await identity.organizations(after: call.cursor, limit: call.limit, by: call.principal)
                return ListPage(items: page.items.map(OrganizationModel.init), next: page.next)
            },
            .taking(.post, "/organizations", "createOrganization", "Creates an organization.", status: .created) {
                [identity] call, body in
                let (model, name) = (body as NewOrganizationModel, try NamespaceName(parsing: body.name))
                return OrganizationModel(
                    try await identity.createOrganization(name, fullName: model.fullName, by: call.caller))
            },
            .answering(.get, "/organizations/{organization}", "getOrganization", "Returns an organization.") {
                [identity] call in
                OrganizationModel(try await identity.organization(named: call.name("organization"), by: call.principal))
            },
            .taking(.patch, "/organizations/{organization}", "changeOrganization", "Changes an organization.") {
                [identity] call, body in try await change(body, by: call, identity)
            },
            .quiet(
                .delete, "/organizations/{organization}", "deleteOrganization",
                "Deletes an organization that owns nothing."
            ) { [identity] call in try await identity.deleteOrganization(call.name("organization"), by: call.caller) },
        ] + members
    }

    private var members: [APIRoute] {
        [
            .answering(
                .get, "/organizations/{organization}/members", "listMembers", "Lists the members of an organization.",
                query: APIParameter.paging
            ) { [identity] call in
                let page = try await identity.members(
                    of: call.name("organization"), after: call.cursor, limit: call.limit, by: call.principal)
                return ListPage(items: page.items.map(MemberModel.init), next: page.next)
            },
            .taking(
                .put, "/organizations/{organization}/members/{account}", "setMember",
                "Adds a member or changes its role."
            ) { [identity] call, body in
                let role = (body as MemberRoleModel).role
                return MemberModel(
                    try await identity.setMember(
                        call.name("account"), of: call.name("organization"), role: role, by: call.caller))
            },
            .quiet(.delete, "/organizations/{organization}/members/{account}", "removeMember", "Removes a member.") {
                [identity] call in
                try await identity.removeMember(call.name("account"), of: call.name("organization"), by: call.caller)
            },
        ]
    }
}

private func change(_ patch: OrganizationPatch, by call: APICall, _ identity: Identity) async throws
    -> OrganizationModel
{
    let name = try call.name("organization")
    switch patch.fullName {
    case .keep: return OrganizationModel(try await identity.organization(named: name, by: call.principal))
    case .clear: return OrganizationModel(try await identity.updateOrganization(name, fullName: nil, by: call.caller))
    case .set(let text):
        return OrganizationModel(try await identity.updateOrganization(name, fullName: text, by: call.caller))
    }
}
