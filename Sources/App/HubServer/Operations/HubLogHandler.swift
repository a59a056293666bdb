import FoundationEssentials
import Glibc
import HubCore
import Logging
import WebCore

/// Writes log lines to stderr: for people, `time LEVEL message key=value …`, or one JSON object a line.
package struct HubLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let format: HubSettings.LogFormat
    private let write: @Sendable ([UInt8]) -> Void

    /// - Parameter write: takes one line with its end; by default it goes to stderr in one call.
    package init(
        level: Logger.Level, format: HubSettings.LogFormat, write: @escaping @Sendable ([UInt8]) -> Void = HubLogHandler.toStandardError
    ) {
        logLevel = level
        self.format = format
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let message = event.message.description
        switch format {
        case .text:
            var line = "\(Date().formatted(.iso8601)) \(event.level.rawValue.uppercased()) \(Self.printable(message))"
            for (key, value) in all.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(Self.word(value.description))" }
            write(Array((line + "\n").utf8))
        case .json:
            var object = ["time": Date().formatted(.iso8601), "level": event.level.rawValue, "message": message]
            for (key, value) in all { object[key] = value.description }
            write(HubJSON.bytes(object) + [UInt8(ascii: "\n")])
        }
    }

    package static let toStandardError: @Sendable ([UInt8]) -> Void = { bytes in
        // One call a line, so that lines of several threads do not mix; where the log cannot be written there is nobody to tell.
        _ = bytes.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
    }

    /// Line ends and control characters would let a request forge log lines.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "\u{fffd}" : $0 }))
    }

    private static func word(_ text: String) -> String {
        let text = printable(text)
        return text.contains(where: { $0 == " " || $0 == "\"" }) || text.isEmpty
            ? "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"") + "\"" : text
    }
}
