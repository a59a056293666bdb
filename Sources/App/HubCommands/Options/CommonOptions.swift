import ArgumentParser
import HubCore

/// What every verb takes.
struct HubOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The hub's data directory; that of CSGHUB_DATA, the service or the sample unless given.", valueName: "dir"))
    var data: String?
}

/// What every list takes.
struct ListOptions: ParsableArguments {
    @Flag(name: .long, help: "One JSON object a line instead of a table.")
    var json = false
}

/// What every verb takes that cannot be taken back.
struct ConfirmationOptions: ParsableArguments {
    @Flag(name: .long, help: "Do not ask.")
    var yes = false
}

extension Visibility: ExpressibleByArgument {}
extension OrganizationRole: ExpressibleByArgument {}
extension TokenScope: ExpressibleByArgument {}
extension SiteRole: ExpressibleByArgument {}
extension RepositoryKind: ExpressibleByArgument {
    package init?(argument: String) { self.init(parsing: argument) }
}
