import NIOSSL
import Synchronization

/// The certificate that new connections get. Replacing it leaves open connections alone.
final class TLSContexts: Sendable {
    private struct State {
        var pair: SiteCertificates.Pair
        var context: NIOSSLContext
    }

    private let state: Mutex<State>

    /// - Throws: `StartError.certificate` when the PEM texts are no certificate chain and its key.
    init(certificates: String, key: String) throws {
        let pair = SiteCertificates.Pair(certificates: certificates, key: key)
        state = Mutex(State(pair: pair, context: try Self.context(pair)))
    }

    var current: NIOSSLContext { state.withLock { $0.context } }

    /// Uses `pair` from now on; returns whether it is another one than before.
    func replace(with pair: SiteCertificates.Pair) throws -> Bool {
        if state.withLock({ $0.pair == pair }) { return false }
        let new = State(pair: pair, context: try Self.context(pair))
        state.withLock { $0 = new }
        return true
    }

    private static func context(_ pair: SiteCertificates.Pair) throws -> NIOSSLContext {
        do {
            let chain = try NIOSSLCertificate.fromPEMBytes(Array(pair.certificates.utf8))
            guard !chain.isEmpty else { throw StartError.certificate(reason: "the file has no certificate in PEM form.") }
            let key = try NIOSSLPrivateKey(bytes: Array(pair.key.utf8), format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            return try NIOSSLContext(configuration: configuration)
        } catch let error as StartError {
            throw error
        } catch {
            throw StartError.certificate(reason: "certificate and key do not belong together or are not PEM (\(error)).")
        }
    }
}
