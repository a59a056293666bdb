import FoundationEssentials
import HubCore
import ObjectStore
import WebCore

/// What a person's machine needs so that stock clients work with this hub.
package struct ClientSetup: Sendable {
    /// The certificate that clients must trust.
    package struct Authority: Sendable {
        package let pem: String
        /// `AB:CD:…`, as certificate viewers show it.
        package let fingerprint: String

        /// `nil` when the text is no certificate.
        package init?(pem: String) {
            let lines = pem.split(whereSeparator: \.isNewline)
            guard let start = lines.firstIndex(of: "-----BEGIN CERTIFICATE-----"),
                let end = lines[start...].firstIndex(of: "-----END CERTIFICATE-----"),
                let der = Data(base64Encoded: lines[(start + 1)..<end].joined())
            else { return nil }
            self.pem = lines[start...end].joined(separator: "\n") + "\n"
            guard let digest = try? SHA256Digest() else { return nil }  // Only without memory; the page then shows none.
            guard (try? Array(der).withUnsafeBytes { try digest.update($0) }) != nil, let hash = try? digest.finish() else {
                return nil  // The same.
            }
            let digits = Array(hash.hex.uppercased())
            fingerprint = stride(from: 0, to: digits.count, by: 2).map { String(digits[$0...$0 + 1]) }.joined(separator: ":")
        }
    }

    /// A variable of the environment.
    package struct Variable: Sendable {
        package let name: String
        /// `<…>` stands for what the person fills in.
        package let value: String
        package let purpose: Purpose
    }

    package enum Purpose: String, Sendable, CaseIterable {
        case endpoint, token, authority, offline
    }

    package enum System: String, Sendable, CaseIterable {
        case linux, macos, windows

        /// The profile script of the system.
        package var script: String { self == .windows ? "profile.ps1" : "profile.sh" }
    }

    /// How the client came, so what it shall be pointed to: `https://hub.example:8443`.
    package let endpoint: String
    package let tokenPage: String
    /// Absent without TLS and with certificates of the administrator's own.
    package let authority: Authority?

    package init(origin: RequestOrigin, authority: Authority?) {
        endpoint = origin.description
        tokenPage = endpoint + "/settings/tokens"
        self.authority = origin.scheme == "https" ? authority : nil
    }

    /// Where the profile scripts keep the certificate, and that of all authorities together with it.
    package func folder(on system: System) -> String {
        system == .windows ? #"$HOME\.csghub"# : "$HOME/.config/csghub"
    }

    /// All that clients read, in the order in which it is told.
    package func variables(on system: System) -> [Variable] {
        var variables = [
            Variable(name: "HF_ENDPOINT", value: endpoint, purpose: .endpoint),
            Variable(name: "CSGHUB_DOMAIN", value: endpoint, purpose: .endpoint),
            Variable(name: "HF_TOKEN", value: "<token>", purpose: .token),
            Variable(name: "CSGHUB_TOKEN", value: "<token>", purpose: .token),
        ]
        if authority != nil {
            let bundle = folder(on: system) + (system == .windows ? #"\"# : "/") + "ca-bundle.pem"
            variables += ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"].map {
                Variable(name: $0, value: bundle, purpose: .authority)
            }
        }
        // The last one is of datasets, which otherwise tells a host of its own of everything that it loads.
        return variables
            + [("HF_HUB_DISABLE_UPDATE_CHECK", "1"), ("HF_HUB_DISABLE_TELEMETRY", "1"), ("HF_UPDATE_DOWNLOAD_COUNTS", "0")].map {
                Variable(name: $0.0, value: $0.1, purpose: .offline)
            }
    }

    /// Makes git trust the hub; `nil` when there is nothing to do.
    package func gitCommand(on system: System) -> String? {
        guard authority != nil else { return nil }
        let file = folder(on: system) + (system == .windows ? #"\"# : "/") + "ca.pem"
        return "git config --global http.\(endpoint)/.sslCAInfo \"\(file)\""
    }

    /// Fetches the profile and sets the present shell up.
    package func setUpCommand(on system: System) -> String {
        switch system {
        case .linux, .macos:
            // The first contact cannot be checked by TLS: the page asks to compare the fingerprint.
            "curl -fsS\(authority == nil ? "" : "k") \(endpoint)/connect/profile.sh -o profile.sh && . ./profile.sh"
        case .windows:
            "curl.exe -fsS\(authority == nil ? "" : "k") \(endpoint)/connect/profile.ps1 -o profile.ps1; . .\\profile.ps1"
        }
    }

    /// For everybody who uses the machine.
    package func installCommand(on system: System) -> String {
        system == .windows ? "powershell -ExecutionPolicy Bypass -File profile.ps1 -Install" : "sudo sh profile.sh install"
    }

    /// Shows the account's name when address, certificate and token are right.
    package var checkCommand: String { "hf auth whoami" }
}
