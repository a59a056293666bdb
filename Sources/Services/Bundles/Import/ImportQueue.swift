import HubCore
import Identity
import Logging
import MetadataStore
import ServiceLifecycle

/// Runs imports that were asked for without waiting for their end, one after the other.
package struct ImportQueue: Service {
    private struct Order: Sendable {
        let options: ImportOptions
        let chosen: Set<String>
        let caller: Caller
    }

    private let importer: BundleImporter
    private let logger: Logger
    private let orders: AsyncStream<Order>
    private let continuation: AsyncStream<Order>.Continuation

    package init(importer: BundleImporter, logger: Logger) {
        self.importer = importer
        self.logger = logger
        (orders, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(100))
    }

    /// - Throws: a refusal when too many wait.
    package func add(_ options: ImportOptions, chosen: Set<String>, by caller: Caller) throws {
        guard case .enqueued = continuation.yield(Order(options: options, chosen: chosen, caller: caller)) else {
            throw ProblemError(.unavailable, code: "imports_full", "Too many imports wait already; try again later.")
        }
    }

    package func run() async throws {
        do {
            try await importer.removeOrphans()
        } catch {
            logger.warning("Could not tidy up after imports: \(error)")
        }
        for await order in orders.cancelOnGracefulShutdown() {
            do {
                // A hub that stops lets the import pause; it goes on when somebody asks again.
                let outcomes = try await cancelWhenGracefulShutdown {
                    try await importer.run(order.options, chosen: order.chosen, by: order.caller)
                }
                for outcome in outcomes { log(outcome) }
            } catch is CancellationError {
                return
            } catch {
                logger.warning("An import could not begin: \(Problem.describing(error)?.message ?? "\(error)")")
            }
        }
    }

    private func log(_ outcome: BundleImporter.Outcome) {
        let bundle: Logger.Metadata = ["bundle.id": "\(outcome.bundle)"]
        if let failure = outcome.failure {
            logger.warning(
                "The import of bundle \(outcome.bundle) stopped: \(Problem.describing(failure)?.message ?? "\(failure)")",
                metadata: bundle)
        } else {
            logger.notice("Bundle \(outcome.bundle): \(outcome.record?.state.rawValue ?? "")", metadata: bundle)
        }
    }
}
