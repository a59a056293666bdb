import BundleFormat
import HubCore

/// Which volumes go to which medium.
package struct MediaPlan: Hashable, Sendable {
    /// A place to write to, and what it can take.
    package struct Place: Hashable, Sendable {
        package var path: String
        package var capacityBytes: Int64

        package init(path: String, capacityBytes: Int64) {
            self.path = path
            self.capacityBytes = capacityBytes
        }
    }

    /// Ranges of volumes, from 0 on, one for each medium.
    package let media: [Range<Int>]

    /// Fills the places with about equal shares of what they can take, in order; what does not fit goes to further media that are put in
    /// at the same places.
    ///
    /// - Parameter sizes: of the volumes.
    /// - Throws: `CreationError.mediumTooSmall` where a volume fits on no medium.
    package init(sizes: [Int64], places: [Place]) throws(CreationError) {
        let total = sizes.reduce(0, +)
        let capacity = places.reduce(0) { $0 &+ min($1.capacityBytes, 1 << 60) }
        let isEnough = total <= capacity
        var media: [Range<Int>] = []
        var next = 0
        var placed: Int64 = 0
        var target = 0.0
        while next < sizes.count {
            let place = places[media.count % places.count]
            target += Double(total) * (Double(min(place.capacityBytes, 1 << 60)) / Double(max(1, capacity)))
            let isLastPlace = isEnough && media.count >= places.count - 1
            let start = next
            var used: Int64 = 0
            while next < sizes.count, used + sizes[next] <= place.capacityBytes {
                // Half of a volume may go over the share, so that shares stay even; no medium is left empty.
                if isEnough, !isLastPlace, next > start, Double(placed) + Double(sizes[next]) / 2 > target { break }
                used += sizes[next]
                placed += sizes[next]
                next += 1
            }
            if next == start, next < sizes.count, sizes[next] > place.capacityBytes {
                throw .mediumTooSmall(path: place.path, neededBytes: sizes[next], freeBytes: place.capacityBytes)
            }
            media.append(start..<next)
        }
        self.media = media
    }

    /// The largest size of a volume with which every place gets its share.
    package static func volumeLimit(totalBytes: Int64, limitBytes: Int64?, places: [Place]) -> Int64? {
        let smallest = places.map(\.capacityBytes).min() ?? Int64.max
        var limit = min(limitBytes ?? Int64.max, smallest)
        if places.count > 1 {
            let share = totalBytes / Int64(places.count) + totalBytes / 50 + 2 * VolumePacking.neededBytes(storedLength: VolumeIndex.segmentBytes)
            limit = min(limit, max(share, VolumePacking.neededBytes(storedLength: VolumeIndex.segmentBytes) + (1 << 20)))
        }
        return limit == Int64.max ? nil : limit
    }
}
