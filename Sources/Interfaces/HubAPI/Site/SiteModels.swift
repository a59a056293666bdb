import FoundationEssentials
import HubCore

/// What the API says of the process that serves it.
package struct SiteFacts: Sendable {
    package let startedAt: Date
    /// Absolute.
    package let dataDirectory: String
    /// `https://hub.example:8443`, the main one first.
    package let externalAddresses: [String]
    /// Serves requests from the network; false while a verb has opened the store itself.
    package let isServing: Bool
    /// Speaks TLS itself.
    package let isEncrypted: Bool
    /// What clients must trust; `nil` where they trust the hub's certificate without it.
    package let authority: ClientSetup.Authority?

    /// - Parameter authorityCertificate: PEM.
    package init(
        startedAt: Date, dataDirectory: String, externalAddresses: [String], isServing: Bool, isEncrypted: Bool = true,
        authorityCertificate: String? = nil
    ) {
        authority = authorityCertificate.flatMap { ClientSetup.Authority(pem: $0) }
        self.startedAt = startedAt
        self.dataDirectory = dataDirectory
        self.externalAddresses = externalAddresses
        self.isServing = isServing
        self.isEncrypted = isEncrypted
    }
}

package struct VersionModel: APIModel {
    package let version: String

    package static var schema: Schema {
        .object("Version", "The version of the hub.", [.required("version", .text, "")])
    }
}

package struct StatusModel: APIModel {
    package let version: String
    package let startedAt: Date
    package let isServing: Bool
    package let isEncrypted: Bool
    package let dataDirectory: String
    package let externalAddresses: [String]

    package static var schema: Schema {
        .object(
            "Status", "What the hub is and how it is reached.",
            [
                .required("version", .text, ""),
                .required("started_at", .time, ""),
                .required("is_serving", .boolean, "False while a command has opened the store itself."),
                .required("is_encrypted", .boolean, "False when it is set to leave TLS to a proxy or to nobody."),
                .required("data_directory", .text, ""),
                .required("external_addresses", .list(of: .text), "The main one first."),
            ])
    }
}

/// What a check of the hub's health found.
package struct HealthCheckModel: APIModel {
    package enum Result: String, Codable, Sendable, CaseIterable {
        case ok, warning, problem
    }

    /// What was checked: `database`.
    package let name: String
    package let result: Result
    package let message: String
    /// How to mend it; `nil` when all is well.
    @OrNull package var remedy: String? = nil

    package init(name: String, result: Result, message: String, remedy: String?) {
        self.name = name
        self.result = result
        self.message = message
        _remedy = OrNull(wrappedValue: remedy)
    }

    package static func ok(_ name: String, _ message: String) -> HealthCheckModel {
        HealthCheckModel(name: name, result: .ok, message: message, remedy: nil)
    }

    package static func warning(_ name: String, _ message: String, mend remedy: String) -> HealthCheckModel {
        HealthCheckModel(name: name, result: .warning, message: message, remedy: remedy)
    }

    package static func problem(_ name: String, _ message: String, mend remedy: String) -> HealthCheckModel {
        HealthCheckModel(name: name, result: .problem, message: message, remedy: remedy)
    }

    package static var schema: Schema {
        .object(
            "HealthCheck", "What a check of the hub's health found.",
            [
                .required("name", .text, "What was checked."),
                .required("result", .words(of: Result.self), ""),
                .required("message", .text, ""),
                .required("remedy", .nullable(.text), "How to mend it."),
            ])
    }
}

package struct HealthReport: APIModel {
    package let checks: [HealthCheckModel]

    package static var schema: Schema {
        .object("HealthReport", "The hub's health.", [.required("checks", .list(of: HealthCheckModel.schema), "")])
    }
}
