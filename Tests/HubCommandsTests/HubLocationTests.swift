import Testing

@testable import HubCommands

@Suite("Finding a hub")
struct HubLocationTests {
    private let home = ["HOME": "/home/ada"]

    @Test("prefers the flag, then the variable, then the service, then the sample")
    func order() throws {
        let everywhere: (String) -> Bool = { _ in true }
        let both = home.merging(["CSGHUB_DATA": "/env"]) { $1 }
        #expect(try HubLocation.find(flag: "/flag/", environment: both, isDirectory: everywhere).data == "/flag")
        #expect(try HubLocation.find(flag: nil, environment: both, isDirectory: everywhere).data == "/env")
        #expect(try HubLocation.find(flag: nil, environment: home, isDirectory: everywhere).data == "/var/lib/csghub")
        let sample = "/home/ada/.local/share/csghub-sample"
        let found = try HubLocation.find(flag: nil, environment: home) { $0 == sample }
        #expect(found.data == sample)
        let moved = home.merging(["XDG_DATA_HOME": "/data"]) { $1 }
        let other = try HubLocation.find(flag: nil, environment: moved) { $0 == "/data/csghub-sample" }
        #expect(other.origin == .sample)
    }

    @Test("takes the directory that the service's settings name")
    func service() throws {
        let service = HubLocation.Service(configurationFile: "/etc/csghub/config.yaml", data: "/srv/hub")
        let found = try HubLocation.find(flag: nil, environment: home, service: service) { $0 == "/srv/hub" }
        #expect(found == HubLocation(data: "/srv/hub", origin: .service, configurationFile: "/etc/csghub/config.yaml"))
    }

    @Test("says what to do when there is none", arguments: [("/flag", ""), (nil, "/env"), (nil, "")])
    func none(_ flag: String?, _ variable: String) {
        let failure = #expect(throws: CommandFailure.self) {
            try HubLocation.find(flag: flag, environment: ["CSGHUB_DATA": variable], isDirectory: { _ in false })
        }
        #expect(failure?.status == .unavailable)
        #expect(failure?.message.contains("csghub serve") ?? false || failure?.message.contains("CSGHUB_DATA") ?? false)
    }
}
