import Glibc
import HubCore
import Yams

/// Where the values of settings come from: a flag, then `CSGHUB_…`, then the file, then the default in code.
package struct SettingsSource: Sendable {
    /// A value and the name under which the user gave it, for messages.
    struct Value {
        let text: String
        let key: String
    }

    private let flags: [String: [String]]
    private let environment: [String: String]
    private let file: [String: [String]]
    private let fileName: String

    /// - Parameters:
    ///   - flags: what the command line sets, by key without dashes: `external-url`.
    ///   - environment: the process's variables.
    ///   - file: the text of `config.yaml`, if there is one.
    /// - Throws: `StartError.badSetting` when the file is not a flat mapping of known keys.
    package init(
        flags: [String: [String]], environment: [String: String], file: String? = nil, fileName: String = "config.yaml"
    ) throws(StartError) {
        self.flags = flags
        self.environment = environment
        self.fileName = fileName
        self.file = try file.map { text throws(StartError) in try Self.parse(text, fileName) } ?? [:]
    }

    /// All values of a setting that may be given more than once; in the environment they are separated by commas.
    func list(_ key: String) -> [Value] {
        if let values = flags[key], !values.isEmpty { return values.map { Value(text: $0, key: "--\(key)") } }
        let variable = Self.variable(key)
        if let text = environment[variable], !text.isEmpty {
            return text.split(separator: ",").map { Value(text: Self.trimmed($0), key: variable) }
        }
        return (file[key] ?? []).map { Value(text: $0, key: "\(key) in \(fileName)") }
    }

    /// The value of a setting that may be given once.
    func value(_ key: String) throws(StartError) -> Value? {
        // A comma in the environment is part of the value here.
        if flags[key]?.isEmpty ?? true, let text = environment[Self.variable(key)], !text.isEmpty {
            return Value(text: text, key: Self.variable(key))
        }
        let values = list(key)
        guard values.count <= 1 else {
            throw .badSetting(key: values[0].key, reason: "give it once, not \(values.count) times.")
        }
        return values.first
    }

    /// `true`, `false` and their like.
    func flag(_ key: String) throws(StartError) -> Bool? {
        guard let value = try value(key) else { return nil }
        switch value.text.lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw .badSetting(key: value.key, reason: "“\(value.text.shortened)” is neither true nor false.")
        }
    }

    func number(_ key: String, in range: ClosedRange<Int64>) throws(StartError) -> Int64? {
        guard let value = try value(key) else { return nil }
        guard let number = Int64(value.text), range.contains(number) else {
            throw .badSetting(
                key: value.key,
                reason: "“\(value.text.shortened)” is not a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    static func variable(_ key: String) -> String {
        "CSGHUB_" + key.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    private static func parse(_ text: String, _ fileName: String) throws(StartError) -> [String: [String]] {
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw .badSetting(key: fileName, reason: "is not YAML (\(error)).")
        }
        guard let node else { return [:] }
        guard case .mapping(let mapping) = node else {
            throw .badSetting(key: fileName, reason: "must be a mapping of settings: “listen: 127.0.0.1:8443”.")
        }
        var values: [String: [String]] = [:]
        for (key, value) in mapping {
            guard let key = key.string, HubSettings.keys.contains(key) else {
                throw .badSetting(
                    key: "\((key.string ?? "?").shortened) in \(fileName)",
                    reason: "there is no such setting. There are: \(HubSettings.keys.sorted().joined(separator: ", ")).")
            }
            guard let texts = Self.texts(value) else {
                throw .badSetting(key: "\(key) in \(fileName)", reason: "must be a value or a list of values.")
            }
            values[key] = texts
        }
        return values
    }

    private static func texts(_ node: Node) -> [String]? {
        switch node {
        case .scalar(let scalar): [scalar.string]
        case .sequence(let sequence): sequence.map(\.scalar?.string).reduce(into: [String]?([])) { all, text in
            if let text { all?.append(text) } else { all = nil }
        }
        case .mapping, .alias: nil
        }
    }
}
