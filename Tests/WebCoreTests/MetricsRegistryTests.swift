import CoreMetrics
import Testing
import WebCore

@Suite("Metrics page")
struct MetricsRegistryTests {
    @Test("writes counters, gauges and histograms as Prometheus reads them")
    func writes() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "hub_requests_total", dimensions: [("status", "2xx")]).increment(by: 3)
        registry.makeCounter(label: "hub_requests_total", dimensions: [("status", "2xx")]).increment(by: 1)
        registry.makeMeter(label: "hub.open", dimensions: []).set(Int64(7))
        registry.makeTimer(label: "hub_seconds", dimensions: []).recordNanoseconds(30_000_000)
        let text = registry.prometheusText()
        #expect(text.contains("# TYPE hub_requests_total counter\nhub_requests_total{status=\"2xx\"} 4\n"))
        #expect(text.contains("hub_open 7\n"))
        #expect(text.contains("hub_seconds_bucket{le=\"0.025\"} 0\n") && text.contains("hub_seconds_bucket{le=\"0.05\"} 1\n"))
        #expect(text.contains("hub_seconds_bucket{le=\"+Inf\"} 1\nhub_seconds_sum 0.03\nhub_seconds_count 1\n"))
    }

    @Test("escapes label values")
    func escapes() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "x", dimensions: [("a", "q\"\\\n")]).increment(by: 1)
        #expect(registry.prometheusText().contains(#"x{a="q\"\\\n"} 1"#))
    }

    @Test("does not grow beyond its bound")
    func bounded() {
        let registry = MetricsRegistry()
        for number in 0..<MetricsRegistry.maximumSeries + 100 {
            registry.makeCounter(label: "x", dimensions: [("n", "\(number)")]).increment(by: 1)
        }
        #expect(registry.prometheusText().split(separator: "\n").count == MetricsRegistry.maximumSeries + 1)
    }
}
