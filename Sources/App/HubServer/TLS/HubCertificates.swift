import Glibc
import HubCore
import WebCore

/// The certificate that the hub shows, made by itself or given by the administrator, as the setting `tls` says.
struct HubCertificates: Sendable {
    /// `nil` with `tls: off`.
    let contexts: TLSContexts?
    /// The authority's certificate, when the hub has its own.
    let authority: String?

    private enum Source: Sendable {
        case off
        case site(SiteCertificates, hosts: [String])
        case files(certificates: String, key: String)
    }

    private let source: Source

    init(settings: HubSettings, folder: DataFolder, secrets: SecretFiles, addresses: [ListenAddress]) throws {
        switch settings.tls {
        case .off:
            source = .off
            (contexts, authority) = (nil, nil)
        case .auto:
            let site = SiteCertificates(data: folder.path, secrets: secrets)
            let hosts = Self.hosts(settings: settings, addresses: addresses)
            source = .site(site, hosts: hosts)
            let pair = try site.current(hosts: hosts)
            contexts = try TLSContexts(certificates: pair.certificates, key: pair.key)
            authority = try site.authorityCertificate()
        case .files(let certificates, let key):
            source = .files(certificates: certificates, key: key)
            let pair = try Self.read(certificates: certificates, key: key)
            contexts = try TLSContexts(certificates: pair.certificates, key: pair.key)
            authority = nil
        }
    }

    /// The certificate as it is on disk now; the hub's own is made anew when its end is near.
    func read() throws -> SiteCertificates.Pair? {
        switch source {
        case .off: nil
        case .site(let site, let hosts): try site.current(hosts: hosts)
        case .files(let certificates, let key): try Self.read(certificates: certificates, key: key)
        }
    }

    private static func read(certificates: String, key: String) throws -> SiteCertificates.Pair {
        guard let chain = try SecretFiles.read(certificates) else {
            throw StartError.badSetting(key: "--tls", reason: "there is no file \(certificates).")
        }
        guard let keyText = try SecretFiles.read(key) else {
            throw StartError.badSetting(key: "--tls", reason: "there is no file \(key).")
        }
        return SiteCertificates.Pair(
            certificates: String(decoding: chain, as: UTF8.self), key: String(decoding: keyText, as: UTF8.self))
    }

    /// The names and addresses that clients use, the main one first.
    private static func hosts(settings: HubSettings, addresses: [ListenAddress]) -> [String] {
        var hosts = settings.externalURLs.map(\.host)
        let listening = addresses.map { address -> (host: String, port: Int) in
            guard case .network(let host, _) = address else { return ("0.0.0.0", 443) }
            return (host, 443)
        }
        hosts += LocalNames.origins(listening, isEncrypted: true).map(\.host)
        if let name = LocalNames.hostName { hosts.append(name) }
        return hosts
    }
}
