import Synchronization

/// A line that moves on a terminal: what is done, how much, how fast, how long still. Elsewhere it writes nothing.
///
/// `advance` may be called from any task; it draws at most ten times a second, and nothing in the first 300 ms.
package final class ProgressBar: Sendable {
    private struct State {
        var done: Int64 = 0
        var drawnAt: Duration?
        var isFinished = false
        /// Times and counts of the last seconds, from which the rate comes.
        var samples: [(at: Duration, done: Int64)] = []
    }

    private let label: String
    private let total: Int64?
    private let console: Console
    private let now: @Sendable () -> Duration
    private let state = Mutex(State())

    /// - Parameters:
    ///   - total: bytes in all, or `nil` when nobody knows.
    ///   - now: the time since some fixed moment.
    package init(_ label: String, total: Int64?, console: Console, now: (@Sendable () -> Duration)? = nil) {
        self.label = label
        self.total = total
        self.console = console
        let start = ContinuousClock.now
        self.now = now ?? { ContinuousClock.now - start }
    }

    package func advance(by bytes: Int64) {
        guard console.isErrorTerminal else { return }
        let line: String? = state.withLock { state in
            guard !state.isFinished else { return nil }
            state.done += bytes
            let time = now()
            // What takes no time needs no bar.
            guard time - (state.drawnAt ?? .milliseconds(200)) >= .milliseconds(100) else { return nil }
            state.drawnAt = time
            state.samples.append((time, state.done))
            if state.samples.count > 50 { state.samples.removeFirst() }
            return Self.line(
                label: label, done: state.done, total: total, rate: Self.rate(state.samples), width: console.width ?? 80
            )
        }
        if let line { console.errors("\r\u{1B}[K" + line) }
    }

    /// Takes the line away; what follows is a message.
    package func finish() {
        guard console.isErrorTerminal else { return }
        let wasDrawn = state.withLock { state in
            defer { state.isFinished = true }
            return state.drawnAt != nil && !state.isFinished
        }
        if wasDrawn { console.errors("\r\u{1B}[K") }
    }

    private static func rate(_ samples: [(at: Duration, done: Int64)]) -> Double? {
        guard let first = samples.first, let last = samples.last else { return nil }
        let seconds = (last.at - first.at) / .seconds(1)
        return seconds > 0.5 ? Double(last.done - first.done) / seconds : nil
    }

    /// `Uploading  [#####-----]  52 %  1.2 GB of 2.3 GB  310 MB/s  0:04 left`
    static func line(label: String, done: Int64, total: Int64?, rate: Double?, width: Int) -> String {
        var parts = [label]
        if let total, total > 0 {
            let share = min(1, Double(done) / Double(total))
            let cells = max(0, min(30, width - 60))
            let filled = Int(share * Double(cells))
            if cells >= 5 {
                parts.append(
                    "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: cells - filled) + "]")
            }
            parts.append(DisplayText.padded("\(Int(share * 100)) %", to: 5, alignsRight: true))
            parts.append("\(DisplayText.bytes(min(done, total))) of \(DisplayText.bytes(total))")
        } else {
            parts.append(DisplayText.bytes(done))
        }
        if let rate, rate > 0 {
            parts.append("\(DisplayText.bytes(Int64(rate)))/s")
            if let total, total > done {
                parts.append("\(DisplayText.clock(Int64(Double(total - done) / rate) + 1)) left")
            }
        }
        return DisplayText.cut(parts.joined(separator: "  "), to: max(10, width - 1))
    }
}
