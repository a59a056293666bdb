import NIOSSL
import Synchronization

/// The certificate that new connections get. Replacing it leaves open connections alone.
final class TLSContexts: Sendable {
    private let context: Mutex<NIOSSLContext>

    /// - Throws: `StartError.certificate` when the PEM texts are no certificate chain and its key.
    init(certificates: String, key: String) throws { context = Mutex(try Self.context(certificates, key)) }

    var current: NIOSSLContext { context.withLock { $0 } }

    func replace(certificates: String, key: String) throws {
        let new = try Self.context(certificates, key)
        context.withLock { $0 = new }
    }

    private static func context(_ certificates: String, _ key: String) throws -> NIOSSLContext {
        do {
            let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificates.utf8)).map { NIOSSLCertificateSource.certificate($0) }
            guard !chain.isEmpty else { throw StartError.certificate(reason: "the file has no certificate in PEM form.") }
            let privateKey = try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain, privateKey: .privateKey(privateKey))
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
