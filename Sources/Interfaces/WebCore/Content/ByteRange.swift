/// What a `Range` header asks of a content of a known size. RFC 9110 §14; one range, as no client of ours sends more.
package enum ByteRange: Equatable, Sendable {
    /// No range, or one that is to be ignored: the whole content, status 200.
    case whole
    /// These bytes, status 206.
    case part(Range<Int64>)
    /// Nothing of the content: status 416.
    case unsatisfiable

    /// - Parameters:
    ///   - header: the value of `Range`.
    ///   - ifRange: the value of `If-Range`; the range counts only if it is `etag`.
    package init(header: String?, ifRange: String?, etag: String, sizeBytes: Int64) {
        self = .whole
        guard let header, ifRange == nil || ifRange == etag else { return }
        guard header.hasPrefix("bytes="), !header.contains(",") else { return }
        let ends = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2 else { return }
        let first = Self.number(ends[0])
        let last = Self.number(ends[1])
        switch (first, last, ends[0].isEmpty, ends[1].isEmpty) {
        case (let first?, let last?, _, _):
            guard first <= last else { return }
            self = first < sizeBytes ? .part(first..<(min(last, sizeBytes - 1) + 1)) : .unsatisfiable
        case (let first?, nil, _, true):
            self = first < sizeBytes ? .part(first..<sizeBytes) : .unsatisfiable
        case (nil, let suffix?, true, _):
            self = suffix > 0 && sizeBytes > 0 ? .part(max(0, sizeBytes - suffix)..<sizeBytes) : .unsatisfiable
        default: return
        }
    }

    /// Decimal digits; more than fit count as the largest number.
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text) ?? Int64.max - 1
    }
}
