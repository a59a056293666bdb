import Glibc
import HubCore
import Logging
import WebCore

/// How one hub is set up. Read once at start.
package struct HubSettings: Sendable {
    package enum TLS: Hashable, Sendable {
        /// HTTP in the clear, for a proxy that ends TLS, or for tests.
        case off
        /// The hub's own authority and certificate, made at first start.
        case auto
        /// PEM files; they are read again when they change.
        case files(certificates: String, key: String)
    }

    package enum LogFormat: String, Sendable, CaseIterable {
        case text, json
    }

    package var data: String
    package var listen: [ListenAddress]
    package var tls: TLS
    /// Empty: made from the addresses listened on.
    package var externalURLs: [RequestOrigin]
    /// `nil`: the site setting in the database decides.
    package var allowsAnonymousRead: Bool?
    package var trustedProxies: [AddressBlock]
    package var maximumConnections: Int
    /// What to keep free on the disk; `nil`: a twentieth of it, at most 1 GiB.
    package var reserveBytes: Int64?
    package var logLevel: Logger.Level
    package var logFormat: LogFormat
    /// Serve on sockets passed on by the service manager instead of `listen`, if there are any.
    package var takesInheritedSockets = true
    package var timeouts = ConnectionTimeouts()

    package static let defaultData = "/var/lib/csghub"

    /// The settings that a file may hold; flags and variables have the same names.
    package static let keys: Set<String> = [
        "anonymous-read", "data", "external-url", "listen", "log-format", "log-level", "maximum-connections",
        "reserve-bytes", "tls", "trusted-proxy",
    ]

    /// Where files with lists of keys lie whose bundles are trusted: beside the installed settings, else in the data directory.
    package var trustFolder: String { data == Self.defaultData ? "/etc/csghub/trust" : data + "/trust" }

    /// Defaults for a data directory, for tests and for verbs that open the store themselves.
    package init(data: String) {
        self.data = data
        listen = [.network(host: "127.0.0.1", port: 8443)]
        tls = .auto
        externalURLs = []
        trustedProxies = []
        maximumConnections = 2048
        logLevel = .info
        logFormat = .text
    }

    /// Reads the settings. None is secret.
    ///
    /// | key | type | default | range |
    /// | --- | --- | --- | --- |
    /// | `data` | folder | `/var/lib/csghub` | an absolute or relative path |
    /// | `listen` | address and port, may repeat | `127.0.0.1:8443`, `127.0.0.1:8080` with `tls: off` | port 0 takes a free one |
    /// | `tls` | `off`, `auto` or two files `CERT,KEY` | `auto` | |
    /// | `external-url` | URL, may repeat | made from `listen` | `http[s]://host[:port]`, no path |
    /// | `anonymous-read` | boolean | the site setting | |
    /// | `trusted-proxy` | address or block, may repeat | none | |
    /// | `maximum-connections` | number | 2048 | 16 to 100,000 |
    /// | `reserve-bytes` | number | a twentieth of the disk, at most 1 GiB | 0 to 1 TiB |
    /// | `log-level` | `trace` … `critical` | `info` | |
    /// | `log-format` | `text`, `json` | `text` | |
    /// - Throws: `StartError.badSetting`, naming the key as the user wrote it.
    package init(_ source: SettingsSource) throws(StartError) {
        self.init(data: try source.value("data")?.text ?? Self.defaultData)
        tls = try Self.tls(source)
        let addresses = source.list("listen")
        listen = try addresses.map { value throws(StartError) in
            try Self.parsed(value, ListenAddress.init(parsing:), "is not an address and port, as in 127.0.0.1:8443.")
        }
        if listen.isEmpty { listen = [.network(host: "127.0.0.1", port: tls == .off ? 8080 : 8443)] }
        externalURLs = try source.list("external-url").map { value throws(StartError) in
            try Self.parsed(value, RequestOrigin.init(parsing:), "is not a URL of the form https://host[:port], without a path.")
        }
        trustedProxies = try source.list("trusted-proxy").map { value throws(StartError) in
            try Self.parsed(value, AddressBlock.init(parsing:), "is not an IP address or block, as in 10.0.0.0/8.")
        }
        allowsAnonymousRead = try source.flag("anonymous-read")
        maximumConnections = Int(try source.number("maximum-connections", in: 16...100_000) ?? 2048)
        reserveBytes = try source.number("reserve-bytes", in: 0...(1 << 40))
        if let value = try source.value("log-level") {
            logLevel = try Self.parsed(value, { Logger.Level(rawValue: $0.lowercased()) }, "is not a log level: \(Self.levels).")
        }
        if let value = try source.value("log-format") {
            logFormat = try Self.parsed(value, LogFormat.init(rawValue:), "is neither text nor json.")
        }
    }

    /// The file to read: `--config`, else `config.yaml` in the data directory, else the installed one.
    package static func configurationFile(data: String, environment: [String: String], flag: String?) throws -> (name: String, text: String)? {
        let named = flag ?? environment["CSGHUB_CONFIG"]
        let candidates = named.map { [$0] } ?? [data + "/config.yaml"] + (data == defaultData ? ["/etc/csghub/config.yaml"] : [])
        for path in candidates {
            if let bytes = try SecretFiles.read(path) { return (path, String(decoding: bytes, as: UTF8.self)) }
        }
        if let named { throw StartError.badSetting(key: "--config", reason: "there is no file \(named).") }
        return nil
    }

    private static let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")

    private static func parsed<Parsed>(
        _ value: SettingsSource.Value, _ parse: (String) -> Parsed?, _ complaint: String
    ) throws(StartError) -> Parsed {
        guard let parsed = parse(value.text) else {
            throw .badSetting(key: value.key, reason: "“\(value.text.shortened)” \(complaint)")
        }
        return parsed
    }

    private static func tls(_ source: SettingsSource) throws(StartError) -> TLS {
        guard let value = try source.value("tls") else { return .auto }
        switch value.text.lowercased() {
        case "off", "false": return .off
        case "auto": return .auto
        default:
            let files = value.text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard files.count == 2, !files[0].isEmpty, !files[1].isEmpty else {
                throw .badSetting(key: value.key, reason: "write off, auto, or two PEM files: CERT,KEY.")
            }
            return .files(certificates: files[0], key: files[1])
        }
    }
}
