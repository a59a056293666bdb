import BundleFormat
import Bundles
import Foundation
import HubCore
import Testing

@testable import HubCommands

@Suite("Adding to the custody of a bundle")
struct BundleCustodyTests {
    private let bundle: MadeBundle
    private let console = TestConsole()

    init() throws { bundle = try MadeBundle() }

    private func add(_ step: String, to paths: [String]) async -> Int32 {
        await bundle.run(["bundle", "custody", "add"] + paths + ["--step", step, "--note", "by hand"], on: console)
    }

    @Test("a step is signed with the user's key, reaches every medium that is named, and is shown")
    func adds() async throws {
        #expect(await add("seal", to: bundle.media) == 0)
        // The second medium was not at hand; the next time it gets both.
        #expect(await add("scan", to: [bundle.media[0]]) == 0)
        #expect(await add("transfer", to: bundle.media) == 0)
        for folder in bundle.folders {
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/custody").sorted()
            #expect(names == ["01-seal.dsse.json", "02-scan.dsse.json", "03-transfer.dsse.json"])
        }
        let shown = TestConsole()
        #expect(await bundle.run(["bundle", "inspect"] + bundle.media, on: shown) == 0)
        #expect(shown.output.contains("custody 2 scan by ada") && shown.output.contains("by hand"))
        let verified = TestConsole()
        #expect(await bundle.run(["bundle", "verify"] + bundle.media, on: verified) == 0)
        #expect(verified.output.contains("custody 3 transfer by ada at \(HostName.text)") && verified.output.contains("key of ada-"))
    }

    @Test("a broken chain is told, fails no check of the content, and nothing is added to it")
    func broken() async throws {
        #expect(await add("seal", to: bundle.media) == 0)
        #expect(await add("scan", to: bundle.media) == 0)
        for folder in bundle.folders { try FileManager.default.removeItem(atPath: "\(folder)/custody/01-seal.dsse.json") }
        let verified = TestConsole()
        #expect(await bundle.run(["bundle", "verify"] + bundle.media, on: verified) == 0)
        #expect(verified.errors.contains("before 02-scan.dsse.json is missing"))
        #expect(await add("transfer", to: bundle.media) == 65)
        #expect(await add("No Step", to: bundle.media) == 64)
    }
}
