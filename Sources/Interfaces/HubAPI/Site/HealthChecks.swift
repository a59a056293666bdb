import HubCore
import MetadataStore
import ObjectStore

/// Checks that need the open stores. What can be seen from outside, `csghub doctor` looks at itself.
struct HealthChecks: Sendable {
    let services: APIServices

    /// How many objects are looked for; all are checked by `object verify`.
    private static let sampledObjects = 200

    func run() async -> [HealthCheckModel] {
        [await database(), await audit(), await objects()]
    }

    private func database() async -> HealthCheckModel {
        do {
            // The store refuses to open unless it commits with `synchronous=FULL`, so that need not be asked here.
            let wrong = try await services.store.quickCheck()
            guard let first = wrong.first else {
                return .ok("database", "The database is sound, and what it commits is durable.")
            }
            return .problem(
                "database", "The database is damaged: \(first)",
                mend: "Stop the hub, keep a copy of hub.db and hub.db-wal, and restore the last backup.")
        } catch {
            return .problem(
                "database", "The database cannot be read: \(sentence(error))",
                mend: "Look in the system's log for errors of the disk; restore the last backup if it is damaged.")
        }
    }

    private func audit() async -> HealthCheckModel {
        do {
            switch try await services.store.verifyAuditChain() {
            case .intact(let count, _): return .ok("audit", "The audit log is intact, \(count) rows.")
            case .broken(let sequence, let reason):
                return .problem(
                    "audit", "The audit log is broken at row \(sequence): \(reason)",
                    mend: "Somebody changed the database, or its disk failed; compare it with a backup.")
            }
        } catch {
            return .problem(
                "audit", "The audit log cannot be read: \(sentence(error))",
                mend: "Look in the system's log for errors of the disk; restore the last backup if it is damaged.")
        }
    }

    private func objects() async -> HealthCheckModel {
        do {
            let page = try await services.store.storedObjects(limit: Self.sampledObjects)
            var wrong = 0
            for record in page.items where try await services.objects.stat(record.oid)?.sizeBytes != record.sizeBytes {
                wrong += 1
            }
            guard wrong > 0 else {
                return .ok(
                    "objects",
                    page.items.isEmpty
                        ? "There are no large objects yet." : "\(page.items.count) large objects looked at are there.")
            }
            return .problem(
                "objects", "\(wrong) of \(page.items.count) large objects are missing or have another size.",
                mend: "Run “csghub object verify” to see which, then restore them from a backup.")
        } catch {
            return .problem(
                "objects", "The object store cannot be read: \(sentence(error))",
                mend: "See that the folder objects/ belongs to the hub's user and that its disk is mounted.")
        }
    }

    private func sentence(_ error: any Error) -> String { (error as? any Refusal)?.problem.message ?? "\(error)" }
}
