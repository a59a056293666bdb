import ArgumentParser
import FoundationEssentials
import HTTPTypes
import HubAPI
import HubCore

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Makes and revokes access tokens.",
        subcommands: [Create.self, List.self, Revoke.self])
}

extension TokenCommand {
    struct Create: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes an access token and prints it, this once.",
            discussion: """
                Use it as the password of git and Git LFS. It does not expire unless told.

                Example: csghub token create --account ada --scope write --expires 30d
                """)

        @Option(help: "Whom it acts for.") var account: String
        @Option(help: "What it allows at most: read, write or admin.") var scope: TokenScope
        @Option(help: ArgumentHelp("When it stops working: 90s, 45m, 12h, 30d, 8w.", valueName: "time"))
        var expires: TimeSpan?
        @Option(help: "What to call it.") var name = "command line"
        @Option(
            help: ArgumentHelp(
                "Limit it to this repository, as in models/ada/bert; may be repeated.", valueName: "kind/ns/name"))
        var repository: [String] = []
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let expiresAt = expires.map { Date(timeIntervalSinceNow: Double($0.seconds)) }
            let made: CreatedTokenModel = try await client.send(
                .post, ["tokens"],
                NewTokenModel(
                    account: account, name: name, scope: scope, repositories: repository.isEmpty ? nil : repository,
                    expiresAt: expiresAt))
            console.print(made.text)
        }
    }

    struct List: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists access tokens, without their texts.",
            discussion: "Example: csghub token list --account ada")

        @Option(help: "Only tokens of this account.") var account: String?
        @OptionGroup var list: ListOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let now = Date()
            let columns: [Column<TokenModel>] = [
                Column("ID", alignsRight: true) { $0.id },
                Column("ACCOUNT") { $0.account },
                Column("SCOPE") { $0.scope.rawValue },
                Column("STATE") { $0.state(at: now) },
                Column("EXPIRES") { $0.expiresAt == nil ? "never" : DisplayText.time($0.expiresAt) },
                Column("LAST USED") { $0.lastUsedAt == nil ? "never" : DisplayText.time($0.lastUsedAt) },
                Column("REPOSITORIES") { $0.repositories?.joined(separator: ",") ?? "all" },
                Column("NAME") { $0.name },
            ]
            let query = account.map { [("account", $0)] } ?? []
            try await client.printList(
                ["tokens"], query: query, list, columns, console,
                none: "There are no tokens; make one with “csghub token create --account NAME --scope read”.")
        }
    }

    struct Revoke: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Revokes a token, so that it stops working at once, and prints its id.",
            discussion: "Example: csghub token revoke 7")

        @Argument(help: "The id, as “csghub token list” shows it.") var id: String
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let revoked: TokenModel = try await client.send(.delete, ["tokens", id])
            console.print(revoked.id)
        }
    }
}

extension TokenModel {
    fileprivate func state(at now: Date) -> String {
        if revokedAt != nil { return "revoked" }
        return expiresAt.map { $0 <= now } ?? false ? "expired" : "active"
    }
}
