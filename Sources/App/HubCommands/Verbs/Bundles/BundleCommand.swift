import ArgumentParser

struct BundleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle",
        abstract: "Carries repositories to sites without a network, on sticks and discs.",
        subcommands: [
            Create.self, Inspect.self, Sign.self, Custody.self, Verify.self, Import.self, Status.self, Resume.self, Publish.self, Reject.self, Abandon.self, Receipt.self,
        ])
}
