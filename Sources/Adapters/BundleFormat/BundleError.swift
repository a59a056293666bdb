import Glibc
import HubCore

/// Why a bundle, a volume or a medium was refused.
package enum BundleError: Error, Equatable {
    /// A document of the bundle is not what the format says: its name, the place in it, and what is wrong.
    case invalidDocument(file: String, place: String, reason: String)
    /// The bundle is of a version of the format that this program does not know.
    case unknownFormat(String)
    /// A stated limit of the format is exceeded.
    case tooLarge(what: String, limit: String)
    /// What a signed hash names has other bytes.
    case wrongHash(file: String, expected: ObjectID)
    /// A segment of a volume is damaged; the rest of the volume may be whole.
    case damagedSegment(volume: Int, offset: Int64, object: ObjectID, reason: String)
    /// A volume holds what its index does not name, or not what it names.
    case unexpectedContent(volume: Int, reason: String)
    /// The file ends before it should.
    case truncated(file: String)
    /// The medium does not answer any more (EIO, ENXIO, ENODEV, ESTALE): it was pulled out or is damaged.
    case mediumFailed(file: String, code: Int32)
    /// The medium has no room for what is being written.
    case mediumFull(file: String)
    /// There is no bundle below this path.
    case noBundle(path: String)
    /// A path cannot be read or written, and why.
    case inaccessible(path: String, code: Int32)
    /// A volume cannot hold what it must.
    case volumeTooSmall(neededBytes: Int64, limitBytes: Int64)
}

extension BundleError: Refusal {
    package var problem: Problem {
        switch self {
        case .invalidDocument(let file, let place, let reason):
            Problem(.unprocessable, code: "invalid_bundle", "\(file) is not a document of the bundle format: \(place) \(reason).")
        case .unknownFormat(let schema):
            Problem(
                .unsupported, code: "unknown_bundle_format",
                "The bundle has the format \(schema), which this version does not read; upgrade the hub first.")
        case .tooLarge(let what, let limit): Problem(.tooLarge, code: "bundle_too_large", "\(what) exceeds the limit of \(limit).")
        case .wrongHash(let file, _):
            Problem(
                .unprocessable, code: "wrong_hash",
                "\(file) does not have the bytes that the signed manifest names; copy it again from its source.")
        case .damagedSegment(let volume, let offset, let object, let reason):
            Problem(
                .unprocessable, code: "damaged_segment",
                "Volume \(volume) is damaged at byte \(offset), in object \(object): \(reason). "
                    + "Bring the medium again, or repair it with par2.")
        case .unexpectedContent(let volume, let reason):
            Problem(.unprocessable, code: "unexpected_content", "Volume \(volume) is not as its index says: \(reason).")
        case .truncated(let file):
            Problem(.unavailable, code: "truncated", "\(file) ends too early; bring the medium again, or another copy of it.")
        case .mediumFailed(let file, let code):
            Problem(
                .unavailable, code: "medium_failed",
                "\(file) cannot be read: \(SystemText.of(code)). Put the medium in again and repeat the command.")
        case .mediumFull(let file):
            Problem(.outOfSpace, code: "medium_full", "There is no room for \(file); make room on the medium and repeat the command.")
        case .noBundle(let path): Problem(.missing, code: "no_bundle", "There is no bundle below \(path).")
        case .inaccessible(let path, let code):
            Problem(
                .unavailable, code: "path_inaccessible",
                "\(path) cannot be used: \(SystemText.of(code))."
                    + (code == EACCES || code == EPERM ? " An import is read by the hub’s own account, which needs the right to." : "")
                    + " Mend this or name another path, and try again.")
        case .volumeTooSmall(let needed, let limit):
            Problem(
                .invalid, code: "volume_too_small",
                "A volume of \(limit) bytes cannot hold what needs \(needed) bytes; choose a larger --volume-size.")
        }
    }
}
