import Foundation
import Glibc
import HubTestSupport
import Testing

@testable import HubCommands

@Suite("Devices in the place of folders", .enabled(if: LoopDevice.isAvailable, "needs root and loop devices"))
struct MountedDevicesTests {
    @Test("are mounted read-only for as long as they are needed")
    func mounts() throws {
        let folder = try TemporaryFolder("device")
        try "bytes".write(toFile: folder.file("BUNDLE.json"), atomically: true, encoding: .utf8)
        let device = try LoopDevice(holding: folder.path, megabytes: 8)
        let mounted = try MountedDevices([folder.path])
        // The next medium, when the first did not suffice.
        try mounted.add(device.device)
        let point = try #require(mounted.paths.last)
        #expect(mounted.paths.count == 2 && mounted.paths.first == folder.path && point != device.device)
        #expect(try String(contentsOfFile: point + "/BUNDLE.json", encoding: .utf8) == "bytes")
        #expect(open(point + "/new", O_CREAT | O_WRONLY, 0o600) < 0 && errno == EROFS)
        let line = try String(contentsOfFile: "/proc/mounts", encoding: .utf8).split(separator: "\n").first {
            $0.contains(" \(point) ")
        }
        for option in ["ro", "nosuid", "nodev", "noexec"] { #expect(line?.contains(option) == true, "\(option)") }
        mounted.release()
        #expect(access(point, F_OK) != 0)
        #expect(try !String(contentsOfFile: "/proc/mounts", encoding: .utf8).contains(" \(point) "))
    }

    @Test("that hold no file system are refused")
    func refuses() throws {
        let folder = try TemporaryFolder("device")
        let device = try LoopDevice(holding: folder.path, megabytes: 8)
        let handle = try #require(FileHandle(forWritingAtPath: device.device))
        try handle.write(contentsOf: Data(repeating: 0, count: 4 << 20))
        try handle.synchronize()
        try handle.close()
        #expect(throws: HubCommands.CommandFailure.self) { _ = try MountedDevices([device.device]) }
    }
}
