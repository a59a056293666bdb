import FoundationEssentials

/// Times as Hub clients read them: `2026-11-24T08:15:30.000Z`, always UTC, always with the `Z`
/// (`parse_datetime` in huggingface_hub `utils/_datetime.py` takes nothing else).
package enum HubTime {
    package static func text(_ date: Date) -> String {
        let milliseconds = Int64((date.timeIntervalSince1970 * 1000).rounded(.down))
        let (seconds, rest) = divided(milliseconds, by: 1000)
        let (days, inDay) = divided(seconds, by: 86_400)
        let (year, month, day) = civil(days)
        guard (0...9999).contains(year) else { return text(seconds: seconds) }
        // A list has hundreds of times, and putting it together from parts took a tenth of the whole answer.
        return String(unsafeUninitializedCapacity: 24) { place in
            var text = Array("0000-00-00T00:00:00.000Z".utf8)
            let numbers = [
                (year, 3), (month, 6), (day, 9), (inDay / 3600, 12), (inDay / 60 % 60, 15), (inDay % 60, 18), (rest, 22),
            ]
            for (number, end) in numbers { write(number, endingAt: end, in: &text) }
            return place.initialize(fromContentsOf: text)
        }
    }

    /// From seconds since 1970, as git keeps them.
    package static func text(seconds: Int64) -> String {
        // Beyond the year 9999 no client reads a date.
        text(Date(timeIntervalSince1970: Double(min(max(seconds, 0), 253_402_300_799))))
    }

    private static func divided(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
        let rest = ((value % divisor) + divisor) % divisor
        return ((value - rest) / divisor, rest)
    }

    /// Days since 1970 to a date of the Gregorian calendar (Howard Hinnant, *chrono-compatible low-level date algorithms*).
    private static func civil(_ days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = divided(shifted, by: 146_097).0
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func write(_ number: Int64, endingAt end: Int, in text: inout [UInt8]) {
        var (rest, index) = (number, end)
        while rest > 0 {
            text[index] += UInt8(rest % 10)
            rest /= 10
            index -= 1
        }
    }
}
