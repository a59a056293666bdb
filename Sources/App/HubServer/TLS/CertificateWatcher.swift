import Logging
import ServiceLifecycle
import UnixSignals

/// Takes over a certificate that changed on disk, on SIGHUP or when the next look finds it; makes the hub's own anew in time.
struct CertificateWatcher: Service {
    let certificates: HubCertificates
    let contexts: TLSContexts
    let logger: Logger
    var interval = Duration.seconds(15)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await _ in await UnixSignalsSequence(trapping: .sighup) { takeOver(isAsked: true) }
                }
                group.addTask {
                    while !Task.isCancelled {
                        // Sleeping ends early only when the hub stops.
                        try? await Task.sleep(for: interval)
                        if !Task.isCancelled { takeOver(isAsked: false) }
                    }
                }
            }
        }
    }

    /// A certificate that cannot be used leaves the present one in place.
    private func takeOver(isAsked: Bool) {
        do {
            guard let pair = try certificates.read(), try contexts.replace(with: pair) || isAsked else { return }
            logger.notice("New connections use the certificate as it is on disk now")
        } catch {
            logger.error("The certificate on disk cannot be used, the present one stays: \(error)")
        }
    }
}
