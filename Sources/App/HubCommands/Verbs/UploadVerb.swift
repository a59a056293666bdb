import ArgumentParser
import HubAPI
import HubCore

extension RepositoryCommand {
    struct Upload: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Commits the files of a local folder to a repository and prints the commit's id.",
            usage: "csghub repository upload KIND NS/NAME PATH [--branch <branch>] [--message <text>]",
            discussion: """
                Files of 10 MiB and more, and those that .gitattributes names, become Git LFS objects. Files that are only in the \
                repository stay. A run that was interrupted goes on where it stopped when it is repeated.

                Example: csghub repository upload model ada/bert ./bert
                """)

        @Argument(
            help: ArgumentHelp(
                "A kind and a name (or both as models/ada/bert), then the folder.", valueName: "kind ns/name folder"))
        var words: [String]
        @Option(help: "The branch to commit to; the default branch unless given.") var branch: String?
        @Option(help: "The commit's message.") var message = "Upload with csghub"
        @OptionGroup var hub: HubOptions

        func validate() throws { _ = try RepositoryWords(words, then: ["PATH"]) }

        func perform(_ client: HubClient, _ console: Console) async throws {
            let words = try RepositoryWords(words, then: ["PATH"])
            let repository: RepositoryModel = try await client.get(words.reference.apiPath)
            let branch = branch ?? repository.defaultBranch
            let outcome = try await FolderUpload(
                client: client, console: console, folder: HubLocation.absolute(words.rest[0]),
                reference: words.reference,
                branch: branch, message: message
            ).run()
            let files = "\(DisplayText.counted(outcome.fileCount, "file")), \(outcome.largeCount) of them in Git LFS"
            if outcome.isUnchanged {
                console.note("\(branch) of \(repository.reference) has all of it already: \(files).")
            } else {
                console.note(
                    "Committed \(files), to \(branch) of \(repository.reference); \(DisplayText.bytes(outcome.sentBytes)) of objects sent."
                )
            }
            console.print(outcome.commit)
        }
    }
}
