import ArgumentParser
import HubCore

struct VersionCommand: HubVerb {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Prints the version of this program.", discussion: "Example: csghub version")

    // Takes --data like every verb, so that scripts may pass it everywhere.
    @OptionGroup var hub: HubOptions

    func perform(in session: CommandSession) async throws { session.console.print(HubVersion.text) }
}
