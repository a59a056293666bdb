import ArgumentParser
import HubCore

/// The program: its nouns, and the one place where errors become exit codes.
package struct HubCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "csghub",
        abstract: "Hosts models, datasets, spaces and code over Git and Git LFS.",
        discussion: """
            Start a hub with “csghub serve --data DIR”. The other verbs speak to the running hub through a socket in its data \
            directory, or open the directory themselves when no hub runs. The directory is --data, or else CSGHUB_DATA, that of \
            the installed service, or that of the sample.

            Results go to stdout, everything else to stderr. Exit status: 0 done, 1 failed, 64 wrong usage, 65 bad data, \
            69 unavailable, 75 try again, 77 not permitted.
            """,
        version: HubVersion.text,
        subcommands: [
            ServeCommand.self, AccountCommand.self, OrganizationCommand.self, TokenCommand.self, RepositoryCommand.self,
            AccessCommand.self, ObjectCommand.self, SettingCommand.self, AuditCommand.self, DoctorCommand.self,
            VersionCommand.self, BundleCommand.self, InventoryCommand.self, TrustCommand.self,
            ModelCommand.self, BenchmarkCommand.self,
        ])

    package init() {}

    /// Runs the verb that `arguments` name and returns the exit status.
    package static func run(_ arguments: [String], in session: CommandSession) async -> Int32 {
        do {
            var command = try await asyncParseAsRoot(arguments)
            if let verb = command as? any HubVerb {
                try await verb.perform(in: session)
            } else {
                // A noun without a verb prints its help.
                try command.run()
            }
            return ExitStatus.done.rawValue
        } catch {
            return report(error, of: arguments, to: session.console)
        }
    }

    private static func report(_ error: any Error, of arguments: [String], to console: Console) -> Int32 {
        if error is CommandFailure || error is any Refusal || error is CancellationError {
            let failure = CommandFailure(error)
            console.note(DisplayText.safeLines(failure.message))
            return failure.status.rawValue
        }
        let status = exitCode(for: error)
        let message = fullMessage(for: error)
        guard status != .success else {
            if !message.isEmpty { console.print(message) }
            return ExitStatus.done.rawValue
        }
        // Errors of parsing are ArgumentParser's own; anything else is a fault.
        if status == .validationFailure {
            console.note(optionsFirst(arguments) ?? message)
            return ExitStatus.usage.rawValue
        }
        let failure = CommandFailure(error)
        console.note(failure.message)
        return failure.status.rawValue
    }

    /// What to say when options stand before the verb, as in `csghub --data DIR doctor`.
    private static func optionsFirst(_ arguments: [String]) -> String? {
        let nouns = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard arguments.first?.hasPrefix("-") == true, let noun = arguments.firstIndex(where: nouns.contains) else {
            return nil
        }
        let line = (["csghub"] + arguments[noun...] + arguments[..<noun]).joined(separator: " ")
        return DisplayText.safe("Options come after the verb, as in: \(line)")
    }
}
