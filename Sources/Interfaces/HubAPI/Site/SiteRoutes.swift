import HTTPTypes
import HubCore
import Identity
import MetadataStore

/// Version, status and health.
struct SiteRoutes {
    let services: APIServices

    var routes: [APIRoute] {
        [
            .answering(.get, "/version", "getVersion", "Returns the version of the hub.") { _ in
                VersionModel(version: HubVersion.text)
            },
            .answering(.get, "/status", "getStatus", "Returns what the hub is and how it is reached.") {
                [services] call in
                try await services.identity.requireSite(.readSettings, by: call.principal)
                let site = services.site
                return StatusModel(
                    version: HubVersion.text, startedAt: site.startedAt, isServing: site.isServing,
                    isEncrypted: site.isEncrypted,
                    dataDirectory: site.dataDirectory, externalAddresses: site.externalAddresses)
            },
            .answering(.get, "/health", "getHealth", "Checks the database, the audit log and the object store.") {
                [services] call in
                try await services.identity.requireSite(.maintain, by: call.principal)
                return HealthReport(checks: await HealthChecks(services: services).run())
            },
        ]
    }
}
