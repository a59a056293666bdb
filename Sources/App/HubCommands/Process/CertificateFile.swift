import FoundationEssentials
import HubCore
import ObjectStore

/// The first certificate of a PEM file.
struct CertificateFile {
    let text: String
    private let der: Data

    /// `nil` when there is no such file, or no certificate in it.
    init?(path: String) {
        // Whatever the reason, there is no certificate to speak of.
        guard let bytes = try? Data(contentsOf: URL(filePath: path)), let text = String(bytes: bytes, encoding: .utf8)
        else { return nil }
        let lines = text.split(whereSeparator: \.isNewline)
        guard let start = lines.firstIndex(of: "-----BEGIN CERTIFICATE-----"),
            let end = lines[start...].firstIndex(of: "-----END CERTIFICATE-----"),
            let der = Data(base64Encoded: lines[(start + 1)..<end].joined())
        else { return nil }
        self.text = text
        self.der = der
    }

    /// `AB:CD:…`, as `openssl x509 -fingerprint -sha256` prints it.
    var fingerprint: String? {
        // Without a hash there is only less to show.
        guard let digest = try? SHA256Digest(), (try? der.withUnsafeBytes({ try digest.update($0) })) != nil,
            let hash = try? digest.finish()
        else { return nil }
        let digits = Array(hash.hex.uppercased())
        return stride(from: 0, to: digits.count, by: 2).map { String(digits[$0...($0 + 1)]) }.joined(separator: ":")
    }
}
