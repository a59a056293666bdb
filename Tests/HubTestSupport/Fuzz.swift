import Dispatch
import Foundation
import Synchronization

/// Runs a reader of outside bytes on mutated inputs: it must end in time, within memory, and with one of its declared errors.
///
/// Every case follows from a seed and its number. A failure names both, and
///
///     CSGHUB_SEED=<seed> CSGHUB_CASE=<number> swift test --filter <the test>
///
/// runs that case alone. Where the process ends in a crash, the number is in the file that the first line of the run names; where a
/// case does not end, the run prints it and aborts. The ordinary run always has the same seed; the full one (`CSGHUB_FULL_TESTS=1`) has
/// one of its own and fifty times as many cases.
package final class Fuzz: Sendable {
    package struct Overrun: Error, CustomStringConvertible { package let description: String }

    private static let ordinarySeed: UInt64 = 20_261_124
    /// Of processor time; a case takes about a millisecond in a debug build.
    private static let maximumCaseSeconds = 3.0
    private static let hangSeconds = 60.0

    package let name: String
    package let seed: UInt64
    private let cases: Range<Int>
    private let maximumBytes: Int?
    private let marker: String

    /// - Parameters:
    ///   - share: the number of cases of the ordinary run.
    ///   - maximumBytes: by how much the process may grow meanwhile; `nil` where other tests of the process need much themselves.
    package init(_ name: String, share: Int, maximumBytes: Int? = 192 << 20) {
        let environment = ProcessInfo.processInfo.environment
        let given = environment["CSGHUB_SEED"].flatMap { UInt64($0) }
        self.name = name
        seed = given ?? (Mutator.isFull ? UInt64.random(in: 1 ... .max) : Self.ordinarySeed)
        self.maximumBytes = maximumBytes
        if let only = environment["CSGHUB_CASE"].flatMap({ Int($0) }) {
            cases = only..<only + 1
        } else {
            cases = 0..<(Mutator.isFull ? share * 50 : share)
        }
        marker = FileManager.default.temporaryDirectory.appending(path: "csghub-fuzz-\(name)-\(getpid())").path
    }

    /// Calls `work` with the random source of each case.
    /// - Throws: what `work` throws; that names the case by `FuzzCase.description`.
    package func run(_ work: (inout FuzzCase) throws -> Void) throws {
        if Mutator.isFull { print("Fuzzing \(name): \(cases.count) cases of the seed \(seed); the one under way is in \(marker)") }
        let descriptor = open(marker, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer {
            close(descriptor)
            unlink(marker)
        }
        let watch = HangWatch(name: name, seed: seed, seconds: Self.hangSeconds)
        defer { watch.end() }
        Memory.resetPeak()
        let before = Memory.peakBytes
        for number in cases {
            withUnsafeBytes(of: number) { _ = pwrite(descriptor, $0.baseAddress, $0.count, 0) }
            watch.begin(number)
            var one = FuzzCase(name: name, seed: seed, number: number)
            let start = Self.processorSeconds
            try work(&one)
            let taken = Self.processorSeconds - start
            guard taken < Self.maximumCaseSeconds else { throw Overrun(description: "\(one) took \(taken) s") }
        }
        let grown = Memory.peakBytes - before
        if let maximumBytes, grown > maximumBytes {
            throw Overrun(description: "\(name), seed \(seed): the process grew by \(grown >> 20) MiB, more than \(maximumBytes >> 20) MiB")
        }
    }

    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// One case: a source of chance, and the changes that it makes.
package struct FuzzCase: CustomStringConvertible {
    package let name: String
    package let seed: UInt64
    package let number: Int
    private var source: SplitMix

    init(name: String, seed: UInt64, number: Int) {
        self.name = name
        self.seed = seed
        self.number = number
        source = SplitMix(state: seed &+ UInt64(number) &* 0xD134_2543_DE82_EF95)
    }

    package var description: String { "\(name), seed \(seed), case \(number)" }

    package mutating func next() -> UInt64 { source.next() }
    package mutating func below(_ bound: Int) -> Int { bound <= 0 ? 0 : Int(next() % UInt64(bound)) }
    package mutating func element<Value>(of values: [Value]) -> Value { values[below(values.count)] }

    /// One to four changes of one of the samples.
    /// - Parameter tokens: words of the format, put in or over what is there.
    package mutating func mutation(of samples: [[UInt8]], tokens: [String] = []) -> [UInt8] {
        var bytes = element(of: samples)
        for _ in 0...below(4) { change(&bytes, samples, tokens) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8], _ samples: [[UInt8]], _ tokens: [String]) {
        let place = below(bytes.count)
        let end = min(bytes.count, place + 1 + below(40))
        switch below(12) {
        case 0 where !bytes.isEmpty: bytes[place] ^= 1 << UInt8(below(8))
        case 1 where !bytes.isEmpty: bytes[place] = UInt8(truncatingIfNeeded: next())
        case 2 where !bytes.isEmpty: bytes[place] = element(of: [0, 1, 0x7f, 0x80, 0xff, 0x20, 0x0a, 0x2f, 0x22, 0x5c])
        case 3: bytes.removeSubrange(place...)
        case 4: bytes.removeSubrange(place..<end)
        case 5: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 6: bytes.insert(contentsOf: (0...below(9)).map { _ in UInt8(truncatingIfNeeded: next()) }, at: place)
        case 7:
            // The end of another sample.
            let other = element(of: samples)
            bytes.replaceSubrange(place..., with: other[below(other.count + 1)...])
        case 8 where !tokens.isEmpty: bytes.insert(contentsOf: Array(element(of: tokens).utf8), at: place)
        case 9 where !tokens.isEmpty: bytes.replaceSubrange(place..<end, with: Array(element(of: tokens).utf8))
        case 10: changeNumber(&bytes, from: place)
        default: changeField(&bytes, at: place)
        }
    }

    /// A number in digits becomes another.
    private mutating func changeNumber(_ bytes: inout [UInt8], from place: Int) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let start = bytes[place...].firstIndex(where: { digits.contains($0) }) else { return }
        let end = bytes[start...].firstIndex { !digits.contains($0) } ?? bytes.count
        let numbers = [
            "0", "1", "-1", "00", "65535", "67108863", "67108865", "4294967295", "9007199254740991", "9007199254740992",
            "9223372036854775807", "18446744073709551616", "1e3", "0.5", "77777777777",
        ]
        bytes.replaceSubrange(start..<end, with: Array(element(of: numbers).utf8))
    }

    /// A number in binary becomes another.
    private mutating func changeField(_ bytes: inout [UInt8], at place: Int) {
        let width = element(of: [2, 4, 8])
        guard place + width <= bytes.count else { return }
        let value: UInt64 = element(of: [0, 1, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 26, 1 << 40, .max, .max >> 1])
        for n in 0..<width { bytes[place + n] = UInt8(truncatingIfNeeded: value >> UInt64(8 * n)) }
    }
}

/// Ends the process where one case takes for ever, after it has said which.
private final class HangWatch: Sendable {
    private let state = Mutex((number: 0, since: ContinuousClock.now))
    private let over = DispatchSemaphore(value: 0)

    init(name: String, seed: UInt64, seconds: Double) {
        let thread = Thread { [self] in
            while over.wait(timeout: .now() + 0.5) == .timedOut {
                let (number, since) = state.withLock { $0 }
                guard ContinuousClock.now - since > .seconds(seconds) else { continue }
                FileHandle.standardError.write(Data("\(name), seed \(seed), case \(number) does not end\n".utf8))
                abort()
            }
        }
        thread.start()
    }

    func begin(_ number: Int) { state.withLock { $0 = (number, ContinuousClock.now) } }
    func end() { over.signal() }
}

/// The memory of this process.
package enum Memory {
    /// The most that was in use since `resetPeak`.
    package static var peakBytes: Int {
        let text = String(decoding: FileManager.default.contents(atPath: "/proc/self/status") ?? Data(), as: UTF8.self)
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }) else { return 0 }
        return (Int(line.split(whereSeparator: \.isWhitespace)[1]) ?? 0) << 10
    }

    package static func resetPeak() {
        guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return }
        file.write(Data("5".utf8))
    }
}
