import ArgumentParser
import BundleFormat

/// What media can take, and how large a volume may be on them.
enum MediaSize: String, ExpressibleByArgument, CaseIterable {
    case fat32, dvd, bd25, bd50, unlimited

    /// Files on FAT32 are smaller than 4 GiB.
    var volumeBytes: Int64? {
        switch self {
        case .fat32: 4_000_000_000
        case .dvd, .bd25, .bd50: capacityBytes
        case .unlimited: nil
        }
    }

    /// Of discs, less a hundredth for the file system; sticks tell theirs when they are in.
    var capacityBytes: Int64? {
        switch self {
        case .fat32, .unlimited: nil
        case .dvd: 4_700_000_000 / 100 * 99
        case .bd25: 25_025_314_816 / 100 * 99
        case .bd50: 50_050_629_632 / 100 * 99
        }
    }
}

/// A size as people write it: `4000000000`, `700M`, `4G` (powers of ten), `64MiB`.
struct ByteSize: ExpressibleByArgument, Equatable {
    let bytes: Int64

    private static let units: [(String, Int64)] = [
        ("KIB", 1 << 10), ("MIB", 1 << 20), ("GIB", 1 << 30), ("TIB", 1 << 40), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000), ("K", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000), ("", 1),
    ]

    init?(argument: String) {
        let text = argument.uppercased()
        guard let (ending, unit) = Self.units.first(where: { text.hasSuffix($0.0) }), let count = Int64(text.dropLast(ending.count)), count > 0,
            case (let bytes, false) = count.multipliedReportingOverflow(by: unit)
        else { return nil }
        self.bytes = bytes
    }

    /// A volume must be able to hold a segment.
    static let minimumVolumeBytes = VolumePacking.neededBytes(storedLength: VolumeIndex.segmentBytes)
}
