import ArgumentParser
import FoundationEssentials
import HTTPTypes
import HubAPI
import HubCore
import Identity

struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Creates and manages accounts.",
        subcommands: [Create.self, List.self, Enable.self, Disable.self, Delete.self, Password.self])
}

extension AccountCommand {
    struct Create: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Creates an account and prints its random password, or its name when --password-file gives one.",
            discussion: "Example: csghub account create ada --admin --email ada@example.org")

        @Argument(help: "Letters, digits, “-”, “_” and “.”; the first part of its repositories' names.")
        var name: String
        @Flag(help: "Make it an administrator of the whole hub.")
        var admin = false
        @Option(help: "A role over the whole site: approver (of imports) or auditor; may be repeated.")
        var role: [SiteRole] = []
        @Option(help: "Its e-mail address.")
        var email: String?
        @Option(help: "The person's name.")
        var fullName: String?
        @OptionGroup var secret: PasswordOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let given = try secret.password(console)
            let password = given ?? Identity.randomPassword()
            let roles = (admin ? [SiteRole.administrator] : []) + role
            let made: AccountModel = try await client.send(
                .post, ["accounts"],
                NewAccountModel(name: name, email: email, fullName: fullName, password: password, roles: roles))
            console.print(given == nil ? password : made.name)
        }
    }

    struct List: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists the accounts.", discussion: "Example: csghub account list --json")

        @OptionGroup var list: ListOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let columns: [Column<AccountModel>] = [
                Column("NAME") { $0.name },
                Column("ROLES") { $0.roles.map(\.rawValue).joined(separator: ",") },
                Column("STATE") { $0.isDisabled ? "disabled" : "enabled" },
                Column("CREATED") { DisplayText.time($0.createdAt) },
                Column("E-MAIL") { $0.email ?? "" },
            ]
            try await client.printList(
                ["accounts"], list, columns, console,
                none: "There are no accounts; make one with “csghub account create NAME”.")
        }
    }

    struct Enable: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lets a disabled account sign in again and prints its name.",
            discussion: "Example: csghub account enable ada")

        @Argument var name: String
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let account: AccountModel = try await client.send(
                .patch, ["accounts", name], AccountPatch(isDisabled: false))
            console.print(account.name)
        }
    }

    struct Disable: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Stops an account and its tokens from signing in and prints its name.",
            discussion: "Example: csghub account disable ada")

        @Argument var name: String
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let account: AccountModel = try await client.send(
                .patch, ["accounts", name], AccountPatch(isDisabled: true))
            console.print(account.name)
        }
    }

    struct Delete: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Deletes an account that owns no repositories, with its tokens, and prints its name.",
            discussion: "Example: csghub account delete ada --yes")

        @Argument var name: String
        @OptionGroup var confirmation: ConfirmationOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let account: AccountModel = try await client.get(["accounts", name])
            try console.confirm("Delete account \(account.name) and its tokens for good?", unless: confirmation.yes)
            try await client.delete(["accounts", name])
            console.print(account.name)
        }
    }

    struct Password: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Sets an account's password and prints it, or the account's name when --password-file gives one.",
            discussion: "Example: csghub account password ada")

        @Argument var name: String
        @OptionGroup var secret: PasswordOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let given = try secret.password(console)
            let password = given ?? Identity.randomPassword()
            let account: AccountModel = try await client.send(
                .put, ["accounts", name, "password"], PasswordModel(password: password))
            console.print(given == nil ? password : account.name)
        }
    }
}

/// Where a password comes from.
struct PasswordOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Take the password from the first line of a file, “-” for stdin; a random one unless given.",
            valueName: "file"))
    var passwordFile: String?

    private static let maximumBytes = 4096

    /// The password that the file holds, `nil` without a file.
    func password(_ console: Console) throws -> String? {
        guard let passwordFile else { return nil }
        if passwordFile == "-" {
            guard let line = console.readAnswer(), !line.isEmpty else {
                throw CommandFailure(.badData, "There is no password on stdin.")
            }
            return line
        }
        let text: String
        do {
            let bytes = try Data(contentsOf: URL(filePath: passwordFile))
            guard bytes.count <= Self.maximumBytes, let decoded = String(bytes: bytes, encoding: .utf8) else {
                throw CommandFailure(.badData, "\(passwordFile) is no text of at most \(Self.maximumBytes) bytes.")
            }
            text = decoded
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(
                .badData, "The password file \(passwordFile) cannot be read; see that it exists and is yours.")
        }
        let line = text.prefix { !$0.isNewline }
        guard !line.isEmpty else {
            throw CommandFailure(.badData, "The first line of \(passwordFile) is empty; it must hold the password.")
        }
        return String(line)
    }
}
