import Foundation

/// Changes bytes at random, by a seed that a failing test prints.
///
/// `CSGHUB_FULL_TESTS=1` runs 100,000 cases of each test, best with the optimized build; `CSGHUB_SEED=<n>` repeats a
/// run.
package struct Mutator {
    package static var isFull: Bool { ProcessInfo.processInfo.environment["CSGHUB_FULL_TESTS"] == "1" }
    package static func cases(_ sample: Int) -> Int { isFull ? 100_000 : sample }

    package let seed: UInt64
    private var state: UInt64

    package init() {
        seed =
            ProcessInfo.processInfo.environment["CSGHUB_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1 ... .max)
        state = seed | 1
    }

    package mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    package mutating func below(_ bound: Int) -> Int { bound <= 0 ? 0 : Int(next() % UInt64(bound)) }

    /// One to four changes: bits, bytes, cuts, copies, insertions.
    package mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...below(4) {
            let place = below(bytes.count)
            switch below(7) {
            case 0 where !bytes.isEmpty: bytes[place] ^= 1 << UInt8(below(8))
            case 1 where !bytes.isEmpty: bytes[place] = UInt8(truncatingIfNeeded: next())
            case 2: bytes.removeLast(min(bytes.count, below(20)))
            case 3: bytes.removeSubrange(place..<min(bytes.count, place + below(10)))
            case 4: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + below(30))], at: place)
            case 5: bytes.insert(contentsOf: (0...below(9)).map { _ in UInt8(truncatingIfNeeded: next()) }, at: place)
            default:
                let interesting: [UInt8] = [0, 1, 0x7f, 0x80, 0xff, 0x20, 0x0a, 0x2f]
                if !bytes.isEmpty { bytes[place] = interesting[below(interesting.count)] }
            }
        }
        return bytes
    }
}
