import Glibc

/// What the metrics page says of the process itself.
enum ProcessGauges {
    static func now(connections: Int) -> [String: Int] {
        var gauges = ["hub_http_connections": connections]
        // "size resident shared …", in pages; without /proc the values are left out.
        if let text = try? SecretFiles.read("/proc/self/statm") {
            let fields = String(decoding: text, as: UTF8.self).split(separator: " ")
            if fields.count > 1, let pages = Int(fields[1]) { gauges["hub_process_resident_bytes"] = pages * Int(getpagesize()) }
        }
        var usage = rusage()
        if getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            gauges["hub_process_cpu_milliseconds"] = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime)
        }
        return gauges
    }

    private static func milliseconds(_ time: timeval) -> Int { time.tv_sec * 1000 + Int(time.tv_usec) / 1000 }
}
