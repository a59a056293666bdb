import Foundation
import HubTestSupport
import Testing

extension HubProcess {
    /// The most memory that the hub has had since the last `forgetPeak`, in MiB.
    var peakMebibytes: Int {
        get throws {
            let status = try String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8)
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
            return (Int(line.filter(\.isNumber)) ?? 0) / 1024
        }
    }

    func forgetPeak() throws {
        try Data("5".utf8).write(to: URL(filePath: "/proc/\(identifier)/clear_refs"))
    }
}

extension EndToEnd {
    @Suite("Memory")
    struct MemoryTests {
        let hub: HubProcess
        let ada: GitClient

        init() throws {
            hub = try HubProcess.started()
            ada = try hub.client("ada")
        }

        @Test("memory does not grow with the size of an object", .tags(.slow))
        func objects() throws {
            try hub.run("repository", "create", "model", "ada/m")
            var peaks: [Int] = []
            for (index, bytes) in [20_000_000, isFull ? 2_000_000_000 : 400_000_000].enumerated() {
                let file = ada.folder.file("object")
                try Content.write(to: file, bytes: bytes, seed: UInt64(index))
                try hub.forgetPeak()
                let oid = try ada.upload(file, to: "models/ada/m")
                let action = try #require(
                    try ada.batch("download", [(oid, bytes)], in: "models/ada/m").objects.first?.actions?["download"])
                #expect(try ada.follow(action, "--output", "/dev/null").status == 200)
                peaks.append(try hub.peakMebibytes)
            }
            #expect(peaks[1] < peaks[0] + 48, "MiB with a small and a large object: \(peaks)")
        }

        @Test("memory does not grow with the size of a pack's blobs", .tags(.slow))
        func packs() throws {
            var peaks: [Int] = []
            for (index, bytes) in [5_000_000, isFull ? 400_000_000 : 80_000_000].enumerated() {
                let copy = try ada.repository("ada/pack-\(index)")
                try copy.git("config", "core.compression", "0")
                try Content.write(to: copy.file("a.bin"), bytes: bytes)
                try copy.commit([:], message: "Add a file")
                try hub.forgetPeak()
                try copy.git("push", "--quiet", "origin", "main")
                _ = try ada.clone("models/ada/pack-\(index)", to: "clone-\(index)")
                peaks.append(try hub.peakMebibytes)
            }
            #expect(peaks[1] < peaks[0] + 48, "MiB with a small and a large blob: \(peaks)")
        }

        @Test("idle it is small, and again after many transfers at once", .tags(.slow))
        func idle() throws {
            try hub.run("repository", "create", "model", "ada/m")
            let file = ada.folder.file("object")
            try Content.write(to: file, bytes: 50_000_000)
            let oid = try ada.upload(file, to: "models/ada/m")
            let action = try #require(
                try ada.batch("download", [(oid, 50_000_000)], in: "models/ada/m").objects.first?.actions?["download"])
            let headers = (action.header ?? [:]).flatMap { ["--header", "\($0.key): \($0.value)"] }
            let downloads = try (0..<40).map { _ in
                try RunningCommand(
                    ["curl", "--silent", "--fail", "--output", "/dev/null"] + headers + [action.href], in: "/",
                    environment: ada.environment)
            }
            for download in downloads { #expect(download.finish().succeeded) }
            let residentPages = try String(contentsOfFile: "/proc/\(hub.identifier)/statm", encoding: .utf8).split(
                separator: " ")[1]
            let mebibytes = (Int(residentPages) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
            #expect(mebibytes < 128, "MiB after 40 downloads at once: \(mebibytes)")
        }
    }
}
