import ArgumentParser
import HubAPI

/// What a verb works in: the streams, the environment and a way to the hub.
package struct CommandSession: Sendable {
    package let console: Console
    package let environment: [String: String]
    /// Opens the hub that a verb is for.
    let connect: @Sendable (HubLocation, CommandSession) async throws -> any HubTransport

    init(
        console: Console, environment: [String: String],
        connect: @escaping @Sendable (HubLocation, CommandSession) async throws -> any HubTransport
    ) {
        self.console = console
        self.environment = environment
        self.connect = connect
    }
}

/// A verb of the command line.
protocol HubVerb: AsyncParsableCommand {
    func perform(in session: CommandSession) async throws
}

extension HubVerb {
    mutating func run() async throws { try await perform(in: .process) }
}

/// A verb that works on files alone; no hub is needed, so it takes no `--data`.
protocol FileVerb: HubVerb {}

/// A verb that asks or changes a hub through its API.
protocol ClientVerb: HubVerb {
    var hub: HubOptions { get }
    func perform(_ client: HubClient, _ console: Console) async throws
}

extension ClientVerb {
    func perform(in session: CommandSession) async throws { try await performOnHub(in: session) }

    func performOnHub(in session: CommandSession) async throws {
        let location = try HubLocation.find(flag: hub.data, environment: session.environment)
        let transport = try await session.connect(location, session)
        do {
            try await perform(HubClient(transport: transport), session.console)
        } catch {
            // The verb's own error says more than one of closing.
            try? await transport.close()
            throw error
        }
        try await transport.close()
    }
}

extension HubClient {
    /// Prints a list as a table, or one JSON object a line.
    func printList<Item: APIModel>(
        _ path: [String], query: [(String, String)] = [], limit: Int? = nil, _ list: ListOptions,
        _ columns: [Column<Item>],
        _ console: Console, none: String
    ) async throws {
        var table = Table(columns, console: console)
        var count = 0
        try await pages(of: Item.self, path, query: query, limit: limit) { items in
            count += items.count
            if list.json {
                for item in items { console.print(try JSONForm.text(item)) }
            } else {
                table.print(items)
            }
        }
        if count == 0, console.isOutputTerminal, !list.json { console.note(none) }
    }
}
