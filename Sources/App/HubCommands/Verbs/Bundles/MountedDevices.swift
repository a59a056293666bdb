import Glibc
import HubCore

/// Devices that a person names in the place of folders, mounted for one import: read-only, without programs, devices and set-user bits.
final class MountedDevices {
    /// The paths to import from: each device replaced by where it is mounted.
    private(set) var paths: [String] = []
    private var mounts: [String] = []

    private static let parent = "/run/csghub-media"
    /// What sticks and discs are formatted with; the kernel says which one fits.
    private static let fileSystems = [
        "vfat", "exfat", "ext4", "iso9660", "udf", "ntfs3", "xfs", "btrfs", "f2fs", "squashfs",
    ]

    init(_ given: [String]) throws {
        do {
            for path in given { try add(path) }
        } catch {
            release()
            throw error
        }
    }

    /// Another path to import from.
    func add(_ path: String) throws {
        var status = stat()
        let isDevice = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFBLK
        paths.append(isDevice ? try mount(path) : path)
    }

    private func mount(_ device: String) throws -> String {
        guard geteuid() == 0 else {
            throw CommandFailure(
                .notPermitted, "Only root may mount \(device). Run this with sudo, or mount it and name the folder.",
                code: "mount_not_permitted")
        }
        let point = "\(Self.parent)/\(getpid())-\(mounts.count)"
        for folder in [Self.parent, point] where mkdir(folder, 0o755) != 0 && errno != EEXIST {
            throw CommandFailure(.failed, "\(folder) cannot be made: \(String(cString: strerror(errno))).")
        }
        let flags = UInt(MS_RDONLY) | UInt(MS_NOSUID) | UInt(MS_NODEV) | UInt(MS_NOEXEC)
        var code: Int32 = 0
        for type in Self.fileSystems {
            if Glibc.mount(device, point, type, flags, nil) == 0 {
                mounts.append(point)
                return point
            }
            // These say that it is another type, or one that this kernel does not have.
            if errno != EINVAL && errno != ENODEV && errno != EUCLEAN { code = errno }
            if code == EBUSY || code == EPERM || code == ENXIO || code == ENOMEDIUM { break }
        }
        _ = rmdir(point)
        throw CommandFailure(
            code == EBUSY ? .failed : .tryAgain,
            code == EBUSY
                ? "\(device) is mounted already; name the folder where it is."
                : "\(device) cannot be mounted\(code == 0 ? ": it has no file system that is known here" : ": " + String(cString: strerror(code))).",
            code: "mount_failed")
    }

    /// Lets go of all devices; a medium that was pulled is let go of too.
    func release() {
        for point in mounts {
            if umount2(point, 0) != 0 { _ = umount2(point, Int32(MNT_DETACH)) }
            _ = rmdir(point)
        }
        mounts = []
    }
}
