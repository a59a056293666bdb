import ArgumentParser

/// A length of time as people write it: `30d`, `12h`, `45m`, `90s`, `2w`.
struct TimeSpan: ExpressibleByArgument, Equatable {
    let seconds: Int64

    /// Longer than a century is a slip of the finger.
    static let maximumSeconds: Int64 = 100 * 366 * 86_400

    init?(argument: String) {
        guard let unit = argument.last, let size = Self.units[unit], let count = Int64(argument.dropLast()), count > 0
        else {
            return nil
        }
        let (seconds, overflows) = count.multipliedReportingOverflow(by: size)
        guard !overflows, seconds <= Self.maximumSeconds else { return nil }
        self.seconds = seconds
    }

    private static let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
}
