import ArgumentParser
import HubAPI
import HubCore

struct DoctorCommand: HubVerb {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Checks a hub and says how to mend what it finds.",
        discussion: """
            Looks at the data directory, permissions, clock, disk, certificates, database, audit log and large objects. Exits with 1 \
            when something must be mended.

            Example: csghub doctor --data ./hub
            """)

    @OptionGroup var list: ListOptions
    @OptionGroup var hub: HubOptions

    func perform(in session: CommandSession) async throws {
        let console = session.console
        let location = try HubLocation.find(flag: hub.data, environment: session.environment)
        let checks = await checks(location, session)
        for check in checks { console.print(list.json ? try JSONForm.text(check) : Self.text(check)) }
        let problems = checks.filter { $0.result == .problem }.count
        let warnings = checks.filter { $0.result == .warning }.count
        guard problems == 0 else {
            throw CommandFailure(
                .failed,
                "\(DisplayText.counted(problems, "problem")) and \(DisplayText.counted(warnings, "warning")) in \(location.data)."
            )
        }
        console.note(
            warnings == 0
                ? "All is well with \(location.data)."
                : "\(DisplayText.counted(warnings, "warning")) in \(location.data).")
    }

    private func checks(_ location: HubLocation, _ session: CommandSession) async -> [HealthCheckModel] {
        var directory = DirectoryChecks(location: location, environment: session.environment)
        if let obstacle = directory.obstacle() { return [obstacle] }
        let (status, opened) = await openedChecks(location, session)
        if let status, status.isServing { directory.servesEncrypted = status.isEncrypted }
        return directory.run() + opened
    }

    /// Those that need the open stores; when these cannot be opened, that is a finding like the others.
    private func openedChecks(
        _ location: HubLocation, _ session: CommandSession
    ) async -> (StatusModel?, [HealthCheckModel]) {
        do {
            let transport = try await session.connect(location, session)
            let client = HubClient(transport: transport)
            do {
                let status: StatusModel = try await client.get(["status"])
                let report: HealthReport = try await client.get(["health"])
                try await transport.close()
                return (status, [running(status)] + report.checks)
            } catch {
                // The error itself is reported below.
                try? await transport.close()
                throw error
            }
        } catch {
            let failure = CommandFailure(error)
            let finding = HealthCheckModel.problem(
                "store", "The stores cannot be asked: \(failure.message)",
                mend: "Mend what the message says, then run “csghub doctor” again.")
            return (nil, [finding])
        }
    }

    private func running(_ status: StatusModel) -> HealthCheckModel {
        guard status.isServing else { return .ok("process", "No hub runs; this command opened the stores itself.") }
        guard status.version == HubVersion.text else {
            return .warning(
                "process", "The hub that runs is version \(status.version), this command is \(HubVersion.text).",
                mend: "Restart the hub so that it runs the version that is installed.")
        }
        return .ok(
            "process",
            "A hub runs since \(DisplayText.time(status.startedAt)) UTC at \(status.externalAddresses.joined(separator: ", "))."
        )
    }

    /// `ok       database     The database is sound.`
    private static func text(_ check: HealthCheckModel) -> String {
        let line =
            "\(DisplayText.padded(check.result.rawValue, to: 8)) \(DisplayText.padded(check.name, to: 12)) \(check.message)"
        guard let remedy = check.remedy else { return DisplayText.safe(line) }
        return DisplayText.safe(line) + "\n" + String(repeating: " ", count: 22) + DisplayText.safe("→ \(remedy)")
    }
}
