import CHubPlatform
import Glibc
import HubCore
import Synchronization

/// The hub's own authority and the server certificate that it signs, kept in `secrets/`; the authority's certificate is also
/// readable for everyone in `tls/ca.pem`, for people to trust.
///
/// The server certificate is made anew when the hub's names change or its end is near; the authority stays, so that nobody has to
/// trust anything anew.
package struct SiteCertificates: Sendable {
    /// PEM texts for `TLSContexts`.
    struct Pair: Hashable, Sendable {
        let certificates: String
        let key: String
    }

    private static let authorityDays = 3653
    /// Apple's systems refuse longer ones.
    private static let serverDays = 397
    private static let renewalSeconds: Int64 = 30 * 86400

    private let secrets: SecretFiles
    private let publicFolder: String

    init(data: String, secrets: SecretFiles) {
        self.secrets = secrets
        publicFolder = data + "/tls"
    }

    /// The server's certificate for `hosts`, names and IP addresses, made now if need be.
    func current(hosts: [String]) throws -> Pair {
        let authority = try authority()
        let names = Self.subjectAlternativeNames(hosts)
        if let key = try text("server.key"), let certificate = try text("server.pem"),
            isUsable(certificate, authority: authority.certificates, names: names)
        {
            return Pair(certificates: certificate + authority.certificates, key: key)
        }
        let made = try Self.make { key, certificate in
            hub_make_server_certificate(
                authority.key, authority.certificates, hosts.first ?? "localhost", names.joined(separator: ","), Self.serverDays, key,
                certificate)
        }
        // The key goes first: a key without its certificate is made anew, see `isUsable`.
        try secrets.write("server.pem", [])
        try secrets.write("server.key", Array(made.key.utf8))
        try secrets.write("server.pem", Array(made.certificates.utf8))
        return Pair(certificates: made.certificates + authority.certificates, key: made.key)
    }

    /// The authority's certificate, as PEM.
    func authorityCertificate() throws -> String { try authority().certificates }

    private func authority() throws -> Pair {
        let pair: Pair
        if let key = try text("ca.key"), let certificate = try text("ca.pem"), Self.secondsLeft(certificate) ?? 0 > 0 {
            pair = Pair(certificates: certificate, key: key)
        } else {
            let name = "CSGHub site authority \(RepositoryUID().text.prefix(8))"
            pair = try Self.make { hub_make_authority(name, Self.authorityDays, $0, $1) }
            try secrets.write("ca.pem", [])
            try secrets.write("ca.key", Array(pair.key.utf8))
            try secrets.write("ca.pem", Array(pair.certificates.utf8))
        }
        try publish(pair.certificates)
        return pair
    }

    private func publish(_ certificate: String) throws {
        let path = publicFolder + "/ca.pem"
        if try SecretFiles.read(path) == Array(certificate.utf8) { return }
        guard mkdir(publicFolder, 0o755) == 0 || errno == EEXIST else {
            throw StartError.dataFolder(reason: String(cString: strerror(errno)) + ".")
        }
        try SecretFiles.write(path, Array(certificate.utf8), mode: 0o644, in: publicFolder)
    }

    private func isUsable(_ certificate: String, authority: String, names: [String]) -> Bool {
        var secondsLeft: Int64 = 0
        var text: UnsafeMutablePointer<CChar>?
        guard hub_inspect_certificate(certificate, authority, &secondsLeft, &text) == 0, let text else { return false }
        defer { hub_free_text(text) }
        let present = String(cString: text).split(separator: ",").map(String.init)
        return secondsLeft > Self.renewalSeconds && Set(present) == Set(names)
    }

    private func text(_ name: String) throws -> String? {
        guard let bytes = try secrets.read(name), !bytes.isEmpty else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Seconds until a certificate ends; `nil` when it is none.
    package static func secondsLeft(_ certificate: String) -> Int64? {
        var secondsLeft: Int64 = 0
        var text: UnsafeMutablePointer<CChar>?
        guard hub_inspect_certificate(certificate, nil, &secondsLeft, &text) == 0 else { return nil }
        hub_free_text(text)
        return secondsLeft
    }

    /// `DNS:hub.example`, `IP:192.0.2.1`, each once, always with those of this machine.
    static func subjectAlternativeNames(_ hosts: [String]) -> [String] {
        var names: [String] = []
        for host in hosts + ["localhost", "127.0.0.1", "::1"] {
            let name = canonicalAddress(host).map { "IP:\($0)" } ?? "DNS:\(host)"
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    private static func canonicalAddress(_ host: String) -> String? {
        var bytes = [UInt8](repeating: 0, count: 16)
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        for family in [AF_INET, AF_INET6] where inet_pton(family, host, &bytes) == 1 {
            guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return nil }
            return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return nil
    }

    private static func make(
        _ call: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
    ) throws -> Pair {
        var key: UnsafeMutablePointer<CChar>?
        var certificate: UnsafeMutablePointer<CChar>?
        guard call(&key, &certificate) == 0, let key, let certificate else {
            throw StartError.certificate(reason: "OpenSSL could not make one for the configured names.")
        }
        defer {
            hub_free_text(key)
            hub_free_text(certificate)
        }
        return Pair(certificates: String(cString: certificate), key: String(cString: key))
    }
}
