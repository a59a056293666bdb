import ArgumentParser
import HTTPTypes
import HubAPI
import HubCore

struct OrganizationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "organization", abstract: "Creates and manages organizations and their members.",
        subcommands: [Create.self, List.self, Delete.self, MemberCommand.self])
}

extension OrganizationCommand {
    struct Create: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Creates an organization and prints its name.",
            discussion: "Example: csghub organization create lab")

        @Argument(help: "Letters, digits, “-”, “_” and “.”; the first part of its repositories' names.")
        var name: String
        @Option(help: "What it is called in full.")
        var fullName: String?
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let made: OrganizationModel = try await client.send(
                .post, ["organizations"], NewOrganizationModel(name: name, fullName: fullName))
            console.print(made.name)
        }
    }

    struct List: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists the organizations.", discussion: "Example: csghub organization list --json")

        @OptionGroup var list: ListOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let columns: [Column<OrganizationModel>] = [
                Column("NAME") { $0.name }, Column("CREATED") { DisplayText.time($0.createdAt) },
                Column("FULL NAME") { $0.fullName ?? "" },
            ]
            try await client.printList(
                ["organizations"], list, columns, console,
                none: "There are no organizations; make one with “csghub organization create NAME”.")
        }
    }

    struct Delete: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Deletes an organization that owns no repositories and prints its name.",
            discussion: "Example: csghub organization delete lab --yes")

        @Argument var name: String
        @OptionGroup var confirmation: ConfirmationOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let organization: OrganizationModel = try await client.get(["organizations", name])
            try console.confirm("Delete organization \(organization.name) for good?", unless: confirmation.yes)
            try await client.delete(["organizations", name])
            console.print(organization.name)
        }
    }

    struct MemberCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "member", abstract: "Manages the members of an organization.",
            subcommands: [Add.self, Members.self, Remove.self])
    }
}

extension OrganizationCommand.MemberCommand {
    struct Add: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Adds a member, or changes its role, and prints its name.",
            discussion: "Example: csghub organization member add lab ada --role write")

        @Argument(help: "The organization.") var organization: String
        @Argument(help: "The account.") var name: String
        @Option(
            help:
                "read; contribute: also creates repositories and writes to those; write: to all; admin: also members and deletion."
        )
        var role: OrganizationRole
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let member: MemberModel = try await client.send(
                .put, ["organizations", organization, "members", name], MemberRoleModel(role: role))
            console.print(member.account)
        }
    }

    struct Members: ClientVerb {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Lists the members of an organization.",
            discussion: "Example: csghub organization member list lab")

        @Argument(help: "The organization.") var organization: String
        @OptionGroup var list: ListOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let columns: [Column<MemberModel>] = [
                Column("ACCOUNT") { $0.account }, Column("ROLE") { $0.role.rawValue },
                Column("SINCE") { DisplayText.time($0.since) },
            ]
            try await client.printList(
                ["organizations", organization, "members"], list, columns, console,
                none:
                    "It has no members; add one with “csghub organization member add \(organization) NAME --role read”."
            )
        }
    }

    struct Remove: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Removes a member and prints its name.",
            discussion: "Example: csghub organization member remove lab ada")

        @Argument(help: "The organization.") var organization: String
        @Argument(help: "The account.") var name: String
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            try await client.delete(["organizations", organization, "members", name])
            console.print(name)
        }
    }
}
