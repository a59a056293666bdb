import Foundation
import Glibc

/// A block device in a file with a file system that holds what a folder held, as a stick does. Needs root and loop devices.
package final class LoopDevice {
    package static var isAvailable: Bool {
        guard geteuid() == 0, access("/dev/loop-control", R_OK) == 0 else { return false }
        return (try? CommandOutput.of(["losetup", "--find"]))?.succeeded == true  // Containers may forbid it.
    }

    package let device: String
    package let image: String
    private let folder: TemporaryFolder
    private var mountPoints: [String] = []

    package init(holding source: String, megabytes: Int) throws {
        folder = try TemporaryFolder("loop")
        image = folder.file("image")
        try Self.run("truncate", "-s", "\(megabytes)M", image)
        try Self.run("mkfs.ext4", "-q", "-d", source, image)
        // Direct I/O, so that a file that was cut off gives errors and not zeros.
        device = try Self.run("losetup", "--find", "--show", "--direct-io=on", image)
    }

    deinit {
        for point in mountPoints { _ = umount2(point, Int32(MNT_DETACH)) }
        // What cannot be detached goes with the machine.
        _ = try? CommandOutput.of(["losetup", "--detach", device])
    }

    /// Mounts it read-only.
    package func mount() throws -> String {
        let point = try folder.folder("mount\(mountPoints.count)")
        try Self.run("mount", "-o", "ro", device, point)
        mountPoints.append(point)
        return point
    }

    /// From now on nothing after the first `megabytes` can be read: EIO.
    package func cut(to megabytes: Int) throws { try Self.run("truncate", "-s", "\(megabytes)M", image) }

    @discardableResult
    private static func run(_ words: String...) throws -> String {
        let output = try CommandOutput.of(words)
        guard output.succeeded else { throw CommandFailure(words: words, output: output) }
        return output.line
    }
}
