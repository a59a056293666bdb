import CoreMetrics
import HTTPTypes
import HubCore
import Hummingbird
import Identity
import MetadataStore
import NIOCore
import ObjectStore
import WebCore

/// `/healthz`, `/readyz`, `/metrics` and the site authority's certificate. Ours, except for the metrics' text format, which
/// is Prometheus'.
struct OperationRoutes: Sendable {
    let identity: Identity
    let store: MetadataStore
    let objects: FileObjectStore
    let metrics: MetricsRegistry
    /// Values that are looked up when the metrics are asked for.
    let gauges: @Sendable () -> [String: Int]
    /// PEM.
    let authority: String?

    /// The first parts of these addresses, which no account may take as its name.
    static let paths = ["healthz", "readyz", "metrics", "site-ca.pem"]

    func add(to router: Router<HubContext>) {
        router.get("healthz") { _, _ in Response.text("ok\n") }
        router.get("readyz") { _, _ in await readiness() }
        router.get("metrics") { request, context in try await metricsPage(request, context) }
        router.get("site-ca.pem") { _, _ in try authorityCertificate() }
    }

    private struct Readiness: Encodable {
        let status: String
        let database: String
        let storage: String
    }

    /// Whether the hub can read its database and write objects; says which it cannot, not why, as anybody may ask.
    private func readiness() async -> Response {
        let database = await works { _ = try await store.setting("anonymous-read") }
        let storage = await works { try await objects.checkWritable() }
        let isReady = database && storage
        var response = Response.json(
            Readiness(
                status: isReady ? "ready" : "not ready", database: database ? "ok" : "failing",
                storage: storage ? "ok" : "failing"),
            status: isReady ? .ok : .serviceUnavailable)
        response.headers[.cacheControl] = "no-store"
        if !isReady { response.headers[.retryAfter] = "5" }
        return response
    }

    private func works(_ check: () async throws -> Void) async -> Bool {
        do {
            try await check()
            return true
        } catch {
            return false
        }
    }

    /// For those who may read metrics by a token, and for the control socket. The loopback address proves nothing behind a proxy.
    private func metricsPage(_ request: Request, _ context: HubContext) async throws -> Response {
        let principal = try await identity.principal(of: request, in: context, door: .api)
        try await identity.requireSite(.readMetrics, by: principal)
        for (name, value) in gauges() { metrics.makeMeter(label: name, dimensions: []).set(Int64(value)) }
        return Response.text(metrics.prometheusText(), contentType: "text/plain; version=0.0.4; charset=utf-8")
    }

    private func authorityCertificate() throws -> Response {
        guard let authority else {
            throw ProblemError(.missing, code: "no_site_authority", "This hub uses a certificate of its administrator's.")
        }
        return Response.text(authority, contentType: "application/x-pem-file")
    }
}
