import CoreMetrics
import Synchronization

/// Keeps the hub's metrics and writes them in Prometheus' text format; the backend of swift-metrics.
///
/// Series come from fixed sets of labels; should a mistake make more than `maximumSeries` of them, further ones are dropped
/// instead of filling the memory.
package final class MetricsRegistry: MetricsFactory, Sendable {
    package static let maximumSeries = 5000

    private struct Key: Hashable {
        let name: String
        let labels: [Label]
    }

    private let series = Mutex<[Key: MetricSeries]>([:])

    package init() {}

    // MARK: MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(label, dimensions, kind: .counter)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        find(label, dimensions, kind: .gauge)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        find(label, dimensions, kind: aggregate ? .histogram : .gauge)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions, kind: .histogram)
    }

    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    // MARK: Output

    /// Everything, in Prometheus' text format 0.0.4, sorted by name and labels.
    package func prometheusText() -> String {
        let all = series.withLock { Array($0) }.sorted { left, right in
            left.key.name != right.key.name ? left.key.name < right.key.name : left.value.labelText < right.value.labelText
        }
        var text = ""
        var lastName: String?
        for (key, one) in all {
            if key.name != lastName { text += "# TYPE \(key.name) \(one.kind.rawValue)\n" }
            lastName = key.name
            one.write(name: key.name, to: &text)
        }
        return text
    }

    private func find(_ label: String, _ dimensions: [(String, String)], kind: MetricSeries.Kind) -> MetricSeries {
        let name = Label.validName(label)
        let labels = dimensions.map { Label(name: Label.validName($0.0), value: $0.1) }
        let key = Key(name: name, labels: labels)
        return series.withLock { all in
            if let known = all[key] { return known }
            let new = MetricSeries(kind: kind, labels: labels)
            if all.count < Self.maximumSeries { all[key] = new }
            return new
        }
    }
}

/// One label of a series.
struct Label: Hashable {
    let name: String
    let value: String

    /// `text` with everything but letters, digits and `_` made `_`, as Prometheus wants names.
    static func validName(_ text: String) -> String {
        String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }

    var text: String {
        let escaped = value.map { character in
            switch character {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n": "\\n"
            default: String(character)
            }
        }
        return "\(name)=\"\(escaped.joined())\""
    }
}
