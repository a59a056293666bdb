import ArgumentParser
import HTTPTypes
import HubAPI
import HubCore
import MetadataStore

struct AccessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "access", abstract: "Decides who gets at the files of gated repositories.",
        discussion: "Close a gate with “csghub repository gate”.",
        subcommands: [List.self, Grant.self, Reject.self, Cancel.self])
}

extension AccessCommand {
    struct List: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists requests for the files of a gated repository.",
            usage: "csghub access list KIND NS/NAME [--status <status>]",
            discussion: "Example: csghub access list model ada/bert --status accepted")

        @Argument(help: ArgumentHelp("A kind and a name, or both as models/ada/bert.", valueName: "kind ns/name"))
        var repository: [String]
        @Option(help: "pending, accepted or rejected.") var status = "pending"
        @OptionGroup var list: ListOptions
        @OptionGroup var hub: HubOptions

        func validate() throws {
            _ = try RepositoryWords(repository)
            guard AccessRequestStatus(rawValue: status) != nil else {
                throw ValidationError("Write --status pending, accepted or rejected.")
            }
        }

        func perform(_ client: HubClient, _ console: Console) async throws {
            let columns: [Column<AccessRequestModel>] = [
                Column("ACCOUNT") { $0.account }, Column("ASKED") { DisplayText.time($0.requestedAt) },
                Column("DECIDED") { DisplayText.time($0.decidedAt) }, Column("E-MAIL") { $0.email ?? "" },
                Column("ANSWERS") { request in
                    request.answers.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "; ")
                },
                Column("REASON") { $0.reason ?? "" },
            ]
            try await client.printList(
                RepositoryWords(repository).reference.apiPath + ["access-requests"], query: [("status", status)], list,
                status == "rejected" ? columns : columns.filter { $0.title != "REASON" }, console,
                none: "There are no \(status) requests.")
        }
    }

    struct Grant: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lets an account in, whether it asked or not, and prints its name.",
            usage: "csghub access grant KIND NS/NAME ACCOUNT", discussion: "Example: csghub access grant model ada/bert bob")

        @Argument(help: ArgumentHelp("A repository and an account.", valueName: "kind ns/name account"))
        var words: [String]
        @OptionGroup var hub: HubOptions

        func validate() throws { _ = try RepositoryWords(words, then: ["ACCOUNT"]) }

        func perform(_ client: HubClient, _ console: Console) async throws {
            try await client.decideAccess(words, AccessDecisionModel(status: .accepted), console)
        }
    }

    struct Reject: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Rejects the request of an account, also one accepted before, and prints its name.",
            usage: "csghub access reject KIND NS/NAME ACCOUNT [--reason <text>]",
            discussion: "Example: csghub access reject model ada/bert bob --reason \"Sign the license first.\"")

        @Argument(help: ArgumentHelp("A repository and an account.", valueName: "kind ns/name account"))
        var words: [String]
        @Option(help: "Told to the account.") var reason: String?
        @OptionGroup var hub: HubOptions

        func validate() throws { _ = try RepositoryWords(words, then: ["ACCOUNT"]) }

        func perform(_ client: HubClient, _ console: Console) async throws {
            try await client.decideAccess(words, AccessDecisionModel(status: .rejected, reason: reason), console)
        }
    }

    struct Cancel: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Takes back what was decided about an account, which waits again, and prints its name.",
            usage: "csghub access cancel KIND NS/NAME ACCOUNT", discussion: "Example: csghub access cancel model ada/bert bob")

        @Argument(help: ArgumentHelp("A repository and an account.", valueName: "kind ns/name account"))
        var words: [String]
        @OptionGroup var hub: HubOptions

        func validate() throws { _ = try RepositoryWords(words, then: ["ACCOUNT"]) }

        func perform(_ client: HubClient, _ console: Console) async throws {
            try await client.decideAccess(words, AccessDecisionModel(status: .pending), console)
        }
    }
}

extension HubClient {
    fileprivate func decideAccess(_ words: [String], _ decision: AccessDecisionModel, _ console: Console) async throws {
        let words = try RepositoryWords(words, then: ["ACCOUNT"])
        let decided: AccessRequestModel = try await send(
            .put, words.reference.apiPath + ["access-requests"] + words.rest, decision)
        console.print(decided.account)
    }
}

extension RepositoryCommand {
    struct SetGate: ClientVerb {
        static let configuration = CommandConfiguration(
            commandName: "gate", abstract: "Says who gets at the files of a repository, and prints its name.",
            usage: "csghub repository gate KIND NS/NAME GATE",
            discussion: """
                GATE is none (whoever may read the repository), automatic (whoever asked) or manual (whoever asked and was let in \
                with “csghub access grant”). Owners, members and collaborators need no grant.

                Example: csghub repository gate model ada/bert manual
                """)

        @Argument(help: ArgumentHelp("A repository and its gate.", valueName: "kind ns/name gate"))
        var words: [String]
        @OptionGroup var hub: HubOptions

        func validate() throws { _ = try gate }

        private var gate: (repository: RepositoryReference, gate: Gate) {
            get throws {
                let words = try RepositoryWords(words, then: ["GATE"])
                guard let gate = Gate(rawValue: words.rest[0]) else {
                    throw ValidationError("A gate is none, automatic or manual.")
                }
                return (words.reference, gate)
            }
        }

        func perform(_ client: HubClient, _ console: Console) async throws {
            let (reference, gate) = try gate
            let changed: RepositoryModel = try await client.send(.patch, reference.apiPath, RepositoryPatch(gate: gate))
            console.print(changed.reference)
        }
    }
}
