import ArgumentParser
import HTTPTypes
import HubAPI

struct SettingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setting", abstract: "Shows and changes settings of the site.",
        subcommands: [List.self, Get.self, Set.self, Reset.self])
}

extension SettingCommand {
    struct List: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists the settings with their values.", discussion: "Example: csghub setting list")

        @OptionGroup var list: ListOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let columns: [Column<SettingModel>] = [
                Column("SETTING") { $0.key },
                Column("VALUE") { $0.value + ($0.isOverridden ? " (by the configuration)" : "") },
                Column("DEFAULT") { $0.defaultValue },
                Column("MEANING") { $0.description },
            ]
            try await client.printList(["settings"], list, columns, console, none: "There are no settings.")
        }
    }

    struct Get: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Prints the value of a setting.", discussion: "Example: csghub setting get anonymous-read")

        @Argument(help: "As “csghub setting list” shows it.") var key: String
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let setting: SettingModel = try await client.get(["settings", key])
            console.print(setting.value)
        }
    }

    struct Set: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Changes a setting and prints its value.",
            discussion: "Example: csghub setting set anonymous-read true")

        @Argument(help: "As “csghub setting list” shows it.") var key: String
        @Argument var value: String
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let setting: SettingModel = try await client.send(.put, ["settings", key], SettingValueModel(value: value))
            try report(setting, console)
        }
    }

    struct Reset: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Takes a setting back to its default and prints its value.",
            discussion: "Example: csghub setting reset anonymous-read")

        @Argument(help: "As “csghub setting list” shows it.") var key: String
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let setting: SettingModel = try await client.send(.delete, ["settings", key])
            try report(setting, console)
        }
    }
}

private func report(_ setting: SettingModel, _ console: Console) throws {
    console.print(setting.value)
    if setting.isOverridden {
        console.note(
            "A flag or the configuration file decides \(setting.key) now; what was set here holds when that is gone.")
    }
}
