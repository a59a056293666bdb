import Foundation
import HubServer
import Testing

@testable import HubCommands

@Suite("How serve ends when it cannot start")
struct ServeTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/serve-" + UUID().uuidString

    private func run(_ arguments: String...) async -> (status: Int32, errors: String) {
        let console = TestConsole()
        let session = CommandSession(console: console.console(), environment: [:]) { _, _ in
            ScriptedHub { _ in (500, "") }
        }
        return (await HubCommand.run(arguments, in: session), console.errors)
    }

    @Test("wrong values of flags are wrong usage", arguments: ["nonsense", "127.0.0.1", "127.0.0.1:99999", ":80", ""])
    func wrongListen(_ value: String) async {
        let (status, errors) = await run("serve", "--data", folder, "--listen", value)
        #expect(status == 64 && errors.contains("--listen"), "\(status) \(errors)")
    }

    @Test(
        "each reason has its status",
        arguments: [
            (.badSetting(key: "--tls", reason: "x"), .usage), (.badSetting(key: "CSGHUB_TLS", reason: "x"), .badData),
            (.portInUse(8443), .unavailable), (.cannotListen("10.9.8.7:80", reason: "x"), .unavailable),
            (.alreadyRunning(holder: "7"), .tryAgain), (.dataFolder(reason: "x"), .unavailable),
        ] as [(StartError, HubCommands.ExitStatus)])
    func statuses(_ error: StartError, _ status: HubCommands.ExitStatus) {
        #expect(CommandFailure(error).status == status)
    }

    @Test("a port or a data directory of another hub is told of with a status to act on")
    func taken() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func hub(_ data: String, port: Int) async throws -> Hub {
            var settings = HubSettings(data: data)
            settings.tls = .off
            settings.listen = [.network(host: "127.0.0.1", port: port)]
            settings.takesInheritedSockets = false
            return try await Hub(settings: settings, purpose: .serving)
        }
        func failure(_ data: String, port: Int) async -> CommandFailure? {
            do { try await hub(data, port: port).close() } catch { return CommandFailure(error) }
            return nil
        }
        let first = try await hub(folder, port: 0)
        let locked = await failure(folder, port: 0)
        #expect(locked?.status == .tryAgain && locked?.message.contains("in use by another hub") == true)
        let port = try #require(first.port)
        let busy = await failure(folder + "/other", port: port)
        #expect(busy?.status == .unavailable && busy?.message.contains("Port \(port) is in use") == true)
        await first.close()
    }

    @Test("options before the verb are put right")
    func optionsFirst() async {
        let (status, errors) = await run("--data", "hub", "doctor", "--json")
        #expect(status == 64 && errors.contains("csghub doctor --json --data hub"), "\(errors)")
        #expect(await run("--version").status == 0)
        #expect(await run("--nonsense").errors.contains("nonsense"))
    }
}
