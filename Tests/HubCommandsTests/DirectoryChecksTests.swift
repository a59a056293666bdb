import Foundation
import HubAPI
import Testing

@testable import HubCommands

@Suite("What doctor sees of a data directory")
struct DirectoryChecksTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/doctor-" + UUID().uuidString

    init() throws {
        try FileManager.default.createDirectory(
            atPath: folder + "/secrets", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try set(0o750, on: "")
        try set(0o700, on: "secrets")
        try Data().write(to: URL(filePath: folder + "/hub.db"))
    }

    private func set(_ mode: Int, on name: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder + "/" + name)
    }

    private func checks(now: Date = Date()) -> DirectoryChecks {
        DirectoryChecks(location: HubLocation(data: folder, origin: .flag), environment: [:], now: now)
    }

    private func result(of name: String, now: Date = Date()) -> HealthCheckModel.Result? {
        checks(now: now).run().first { $0.name == name }?.result
    }

    @Test("finds nothing wrong with a directory as the hub makes it, and says how to mend the rest")
    func well() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let found = checks().run().filter { $0.name != "disk" }
        #expect(found.allSatisfy { $0.result == .ok && $0.remedy == nil }, "\(found)")
        #expect(checks().obstacle() == nil)
    }

    @Test("finds loose modes, a wrong clock and wrong settings")
    func findings() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try set(0o755, on: "")
        #expect(result(of: "directory") == .warning)
        try set(0o777, on: "")
        #expect(result(of: "directory") == .problem)
        try Data("k".utf8).write(to: URL(filePath: folder + "/secrets/key"))
        try set(0o644, on: "secrets/key")
        let loose = checks().run().first { $0.name == "secrets" }
        #expect(loose?.result == .problem && loose?.message.contains("secrets/key") == true && loose?.remedy != nil)
        #expect(result(of: "clock", now: Date(timeIntervalSinceNow: -86_400)) == .problem)
        #expect(result(of: "clock", now: Date(timeIntervalSince1970: 0)) == .problem)
        try Data("listen: nowhere\n".utf8).write(to: URL(filePath: folder + "/config.yaml"))
        #expect(result(of: "settings") == .problem)
        try Data("listen: 0.0.0.0:8080\ntls: off\n".utf8).write(to: URL(filePath: folder + "/config.yaml"))
        #expect(result(of: "settings") == .warning)
    }

    @Test("goes by what the hub that runs does about TLS, whatever the settings say")
    func runningHub() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var checks = checks()
        checks.servesEncrypted = false
        let certificate = checks.run().first { $0.name == "certificate" }
        #expect(certificate?.result == .ok && certificate?.message.contains("without TLS") == true)
        try Data("listen: 0.0.0.0:8443\nexternal-url: https://hub.example\n".utf8).write(
            to: URL(filePath: folder + "/config.yaml"))
        #expect(checks.run().first { $0.name == "settings" }?.result == .warning)
        checks.servesEncrypted = true
        #expect(checks.run().first { $0.name == "settings" }?.result == .ok)
    }

    @Test("gives no advice on a folder that is no hub's")
    func obstacle() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.removeItem(atPath: folder + "/hub.db")
        #expect(checks().obstacle()?.message.contains("is not the data directory of a hub") == true)
        try FileManager.default.removeItem(atPath: folder + "/secrets")
        #expect(checks().obstacle()?.remedy?.contains("csghub serve") == true)
        try FileManager.default.removeItem(atPath: folder)
        #expect(checks().obstacle()?.result == .problem)
    }
}
