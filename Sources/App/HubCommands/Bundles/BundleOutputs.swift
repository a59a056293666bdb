import BundleFormat
import Bundles
import Glibc
import HubCore

/// The folders and mounts that `--out` names.
struct BundleOutputs {
    let paths: [String]
    let media: MediaSize

    /// Looks at every one before anything else is done, as the sources may take hours to read.
    func check() throws(CommandFailure) {
        var seen: [String: String] = [:]
        for path in paths {
            let shown = DisplayText.safe(path)
            var status = stat()
            guard stat(path, &status) == 0 else {
                throw CommandFailure(
                    .usage,
                    errno == ENOENT
                        ? "\(shown) does not exist. Mount the medium there, or make the folder with “mkdir -p”, and repeat the command."
                        : "\(shown) cannot be looked at (\(SystemText.of(errno))). Name another folder or mount with --out.")
            }
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw CommandFailure(.usage, "\(shown) is not a folder. Name a folder, or the place where a medium is mounted, with --out.")
            }
            guard access(path, W_OK | X_OK) == 0 else {
                throw errno == EROFS
                    ? CommandFailure(
                        .unavailable, "\(shown) is read-only. Mount the medium for writing, or undo its write protection, and repeat the command.")
                    : CommandFailure(
                        .notPermitted, "You may not write to \(shown). Name another folder with --out, or ask its owner for the right to write there.")
            }
            if let other = seen.updateValue(shown, forKey: "\(status.st_dev) \(status.st_ino)") {
                throw CommandFailure(
                    .usage, other == shown ? "--out names \(shown) twice. Name each medium once." : "\(other) and \(shown) are one folder. Name each medium once.")
            }
        }
    }

    /// What the media can take. Folders on one file system share its room.
    func places() throws -> [MediaPlan.Place] {
        let spaces = try paths.map { try MediumFolder.space(at: $0) }
        return zip(paths, spaces).map { path, space in
            let sharing = Int64(spaces.filter { $0.device == space.device }.count)
            return MediaPlan.Place(path: path, capacityBytes: min(media.capacityBytes ?? Int64.max, space.freeBytes / sharing))
        }
    }

    /// What they can take together.
    func capacityBytes() throws -> Int64 { try places().reduce(0) { $0 + min($1.capacityBytes, 1 << 60) } }
}
