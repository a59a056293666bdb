import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    /// The bundles of `offline-bundles/golden`, which an earlier version wrote, imported and compared file by file.
    @Suite("The golden bundles by the command")
    struct BundleGoldenTests {
        private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "offline-bundles/golden").path

        @Test("are imported one after the other, and each checkout has every file as it was")
        func imported() throws {
            let hub = try HubProcess.started()
            let root = "\(Self.folder)/keys/first/root.1.json"
            let fingerprint = try hub.run("trust", "fingerprint", root).split(separator: " ").dropFirst().joined(separator: " ")
            #expect(fingerprint == "4a53 d70f 8c12 2e9b 6e39 904e 7a78 3dc3 12c1 25a1 8830 d96e 4ae9 716e 6324 ffbd")
            try hub.run("trust", "add", root, "--fingerprint", fingerprint)
            let ada = try hub.client("ada")
            for number in [1, 2] {
                let medium = "\(Self.folder)/media/\(number)"
                let verified = try hub.verb("bundle", "verify", medium, "--trust", root)
                #expect(verified.succeeded, "\(verified)")
                try hub.importing([medium], status: 0)
                let list = "\(Self.folder)/files-\(number).sha256"
                let lines = try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n")
                var listed: [String: Int] = [:]
                for line in lines { listed[line.split(separator: " ", maxSplits: 1)[1].split(separator: "/").prefix(3).joined(separator: "/").trimmingCharacters(in: .whitespaces), default: 0] += 1 }
                for (repository, count) in listed {
                    let copy = try ada.clone(repository, to: "\(number)/\(repository)")
                    #expect(try copy.attempt(["fsck", "--strict"]).succeeded && copy.attempt(["lfs", "fsck"]).succeeded)
                    // The model's .gitattributes is the hub's own.
                    let tracked = try copy.git("ls-files", "-z").split(separator: "\0").count
                    #expect(tracked == count + (repository.hasPrefix("models/") ? 1 : 0), "\(repository)")
                }
                let checked = try CommandOutput.of(["sha256sum", "-c", "--quiet", list], in: ada.folder.file("\(number)"))
                #expect(checked.succeeded && listed.count == 2, "\(checked)")
                if number == 1 { #expect(access(ada.folder.file("1/models/golden/tiny-model/run.sh"), X_OK) == 0) }
            }
            #expect(try hub.verb("object", "verify", "--all").succeeded)
        }
    }
}
