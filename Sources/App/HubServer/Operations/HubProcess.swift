import CoreMetrics
import Glibc
import Logging
import WebCore

/// What is set once for a whole process that serves.
package enum HubProcess {
    /// Sets up logging and metrics, lets writes to closed pipes fail instead of killing the process, and allows as many
    /// open files as the system does. Call it once, before the hub is made.
    package static func prepare(_ settings: HubSettings) -> MetricsRegistry {
        let level = settings.logLevel
        let format = settings.logFormat
        LoggingSystem.bootstrap { _ in HubLogHandler(level: level, format: format) }
        let metrics = MetricsRegistry()
        MetricsSystem.bootstrap(metrics)
        signal(SIGPIPE, SIG_IGN)
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            limit.rlim_cur = limit.rlim_max
            // With fewer files the hub works too, for fewer clients.
            _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        return metrics
    }
}
