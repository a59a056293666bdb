import CoreMetrics
import Synchronization

/// One line, or for a histogram one group of lines, of the metrics page.
final class MetricSeries: CounterHandler, MeterHandler, RecorderHandler, TimerHandler, Sendable {
    enum Kind: String {
        case counter, gauge, histogram
    }

    /// Upper bounds of the histogram's buckets, in seconds for timers.
    static let bounds: [Double] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600]

    private struct State {
        var value: Double = 0
        var count: Int64 = 0
        /// Observations at or under each bound and above the one before.
        var buckets: [Int64]
    }

    let kind: Kind
    let labelText: String
    private let state: Mutex<State>

    init(kind: Kind, labels: [Label]) {
        self.kind = kind
        labelText = labels.map(\.text).joined(separator: ",")
        state = Mutex(State(buckets: kind == .histogram ? Array(repeating: 0, count: Self.bounds.count) : []))
    }

    func increment(by amount: Int64) { state.withLock { $0.value += Double(amount) } }
    func increment(by amount: Double) { state.withLock { $0.value += amount } }
    func decrement(by amount: Double) { state.withLock { $0.value -= amount } }
    func reset() { state.withLock { $0.value = 0 } }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { state.withLock { $0.value = value } }
    func record(_ value: Int64) { record(Double(value)) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func record(_ value: Double) {
        state.withLock { state in
            guard kind == .histogram else {
                state.value = value
                return
            }
            state.value += value
            state.count += 1
            if let bucket = Self.bounds.firstIndex(where: { value <= $0 }) { state.buckets[bucket] += 1 }
        }
    }

    func write(name: String, to text: inout String) {
        let now = state.withLock { $0 }
        let braces = labelText.isEmpty ? "" : "{\(labelText)}"
        guard kind == .histogram else {
            text += "\(name)\(braces) \(Self.format(now.value))\n"
            return
        }
        let prefix = labelText.isEmpty ? "" : labelText + ","
        var total: Int64 = 0
        for (bound, count) in zip(Self.bounds, now.buckets) {
            total += count
            text += "\(name)_bucket{\(prefix)le=\"\(Self.format(bound))\"} \(total)\n"
        }
        text += "\(name)_bucket{\(prefix)le=\"+Inf\"} \(now.count)\n"
        text += "\(name)_sum\(braces) \(Self.format(now.value))\n"
        text += "\(name)_count\(braces) \(now.count)\n"
    }

    private static func format(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 9e15 ? String(Int64(value)) : String(value)
    }
}
