import ArgumentParser
import HTTPTypes
import HubAPI
import HubCore

struct RepositoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repository", abstract: "Creates, changes, exports and fills repositories.",
        subcommands: [
            Create.self, List.self, Set.self, SetGate.self, Rename.self, Delete.self, Undelete.self, Export.self, Upload.self,
        ])
}

extension RepositoryCommand {
    struct Create: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Creates an empty repository and prints its name.",
            usage: "csghub repository create KIND NS/NAME [--visibility <visibility>]",
            discussion: "Example: csghub repository create model ada/bert --visibility internal")

        @Argument(
            help: ArgumentHelp(
                "A kind (model, dataset, space, code) and a name, or both as models/ada/bert.",
                valueName: "kind ns/name"))
        var repository: [String]
        @Option(help: "public, internal (all who sign in) or private (owner, members, collaborators).")
        var visibility: Visibility = .private
        @Option(help: "The branch that clones begin with.") var defaultBranch = "main"
        @Option(help: "What it is, in a sentence.") var description: String?
        @OptionGroup var hub: HubOptions

        func validate() throws { _ = try RepositoryWords(repository) }

        func perform(_ client: HubClient, _ console: Console) async throws {
            let reference = try RepositoryWords(repository).reference
            let made: RepositoryModel = try await client.send(
                .post, ["repositories"],
                NewRepositoryModel(
                    kind: reference.kind, namespace: reference.name.owner.text, name: reference.name.name,
                    visibility: visibility, defaultBranch: defaultBranch, description: description))
            console.print(made.reference)
        }
    }

    struct List: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists repositories by name.",
            discussion: "Example: csghub repository list --kind model --owner ada")

        @Option(help: "Only this kind: model, dataset, space or code.") var kind: RepositoryKind?
        @Option(help: "Only those of this account or organization.") var owner: String?
        @Flag(help: "Deleted ones too, which can still be restored.") var deleted = false
        @OptionGroup var list: ListOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            var query: [(String, String)] = []
            if let kind { query.append(("kind", kind.rawValue)) }
            if let owner { query.append(("owner", owner)) }
            if deleted { query.append(("deleted", "true")) }
            let columns: [Column<RepositoryModel>] = [
                Column("REPOSITORY") { $0.reference },
                Column("VISIBILITY") { $0.visibility.rawValue },
                Column("BRANCH") { $0.defaultBranch },
                Column("CHANGED") { DisplayText.time($0.updatedAt) },
                Column("DELETED") { DisplayText.time($0.deletedAt) },
                Column("DESCRIPTION") { $0.description ?? "" },
            ]
            try await client.printList(
                ["repositories"], query: query, list, deleted ? columns : columns.filter { $0.title != "DELETED" },
                console,
                none: "There are no repositories; make one with “csghub repository create KIND NS/NAME”.")
        }
    }

    struct Set: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Changes settings of a repository and prints its name.",
            usage:
                "csghub repository set KIND NS/NAME [--visibility <visibility>] [--default-branch <branch>] [--description <text>] [--local-changes allow|refuse]",
            discussion: """
                Repositories that came in a bundle refuse local changes until an administrator allows them.

                Example: csghub repository set models/ada/bert --visibility public
                """)

        @Argument(help: ArgumentHelp("A kind and a name, or both as models/ada/bert.", valueName: "kind ns/name"))
        var repository: [String]
        @Option(help: "public, internal or private.") var visibility: Visibility?
        @Option(help: "The branch that clones begin with.") var defaultBranch: String?
        @Option(help: "What it is, in a sentence; empty to remove it.") var description: String?
        @Option(help: "allow or refuse.") var localChanges: LocalChanges?
        @OptionGroup var hub: HubOptions

        func validate() throws {
            _ = try RepositoryWords(repository)
            guard visibility != nil || defaultBranch != nil || description != nil || localChanges != nil else {
                throw ValidationError("Say what to change: --visibility, --default-branch, --description or --local-changes.")
            }
        }

        func perform(_ client: HubClient, _ console: Console) async throws {
            let text: PatchField<String> = description.map { $0.isEmpty ? .clear : .set($0) } ?? .keep
            let changed: RepositoryModel = try await client.send(
                .patch, RepositoryWords(repository).reference.apiPath,
                RepositoryPatch(
                    visibility: visibility, defaultBranch: defaultBranch, isProtected: localChanges.map { $0 == .refuse },
                    description: text))
            console.print(changed.reference)
        }
    }

    /// Whether an imported repository takes local changes.
    enum LocalChanges: String, ExpressibleByArgument, CaseIterable, Sendable {
        case allow, refuse
    }

    struct Rename: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Renames a repository or moves it to another owner, and prints its new name.",
            usage: "csghub repository rename KIND NS/NAME NEW-NS/NEW-NAME",
            discussion: """
                The old name leads to the new one until another repository takes it.

                Example: csghub repository rename model ada/bert lab/bert-base
                """)

        @Argument(
            help: ArgumentHelp(
                "A kind and a name (or both as models/ada/bert), then the new name.", valueName: "kind ns/name new"))
        var words: [String]
        @OptionGroup var hub: HubOptions

        func validate() throws { _ = try parsed() }

        func perform(_ client: HubClient, _ console: Console) async throws {
            let (reference, target) = try parsed()
            let moved: RepositoryModel = try await client.send(
                .post, reference.apiPath + ["rename"], RepositoryMove(namespace: target.owner.text, name: target.name))
            console.print(moved.reference)
        }

        /// The new name is `ns/name`, or a name alone within the same name space.
        private func parsed() throws -> (RepositoryReference, RepositoryName) {
            let words = try RepositoryWords(words, then: ["NEW-NS/NEW-NAME"])
            let text = words.rest[0]
            do {
                let target =
                    text.contains("/")
                    ? try RepositoryName(parsing: text)
                    : try RepositoryName(owner: words.reference.name.owner, name: text)
                return (words.reference, target)
            } catch {
                throw ValidationError(error.problem.message)
            }
        }
    }

    struct Delete: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract:
                "Deletes a repository and prints its name; “undelete” brings it back until its content is purged.",
            usage: "csghub repository delete KIND NS/NAME [--yes]",
            discussion: "Example: csghub repository delete model ada/bert --yes")

        @Argument(help: ArgumentHelp("A kind and a name, or both as models/ada/bert.", valueName: "kind ns/name"))
        var repository: [String]
        @OptionGroup var confirmation: ConfirmationOptions
        @OptionGroup var hub: HubOptions

        func validate() throws { _ = try RepositoryWords(repository) }

        func perform(_ client: HubClient, _ console: Console) async throws {
            let reference = try RepositoryWords(repository).reference
            let found: RepositoryModel = try await client.get(reference.apiPath)
            try console.confirm("Delete \(found.reference)?", unless: confirmation.yes)
            try await client.delete(reference.apiPath)
            console.print(found.reference)
        }
    }

    struct Undelete: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Brings back the repository last deleted under a name and prints it.",
            usage: "csghub repository undelete KIND NS/NAME",
            discussion: "Example: csghub repository undelete model ada/bert")

        @Argument(help: ArgumentHelp("A kind and a name, or both as models/ada/bert.", valueName: "kind ns/name"))
        var repository: [String]
        @OptionGroup var hub: HubOptions

        func validate() throws { _ = try RepositoryWords(repository) }

        func perform(_ client: HubClient, _ console: Console) async throws {
            let restored: RepositoryModel = try await client.send(
                .post, RepositoryWords(repository).reference.apiPath + ["undelete"])
            console.print(restored.reference)
        }
    }
}
