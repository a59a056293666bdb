import FoundationEssentials
import Glibc
import HubAPI
import HubCore
import HubServer

/// What can be seen of a hub from outside: its folder, disk, clock, settings and certificates.
struct DirectoryChecks {
    let location: HubLocation
    let environment: [String: String]
    var now = Date()
    /// Whether the hub that runs speaks TLS, which a flag may have told it; `nil` when none runs.
    var servesEncrypted: Bool?

    private var data: String { location.data }

    func run() -> [HealthCheckModel] { [folder(), secrets(), disk(), clock(), settings()] + certificates() }

    /// Why nothing more can be said of the folder: it is no hub's, or out of reach. Advice on its modes would do harm then.
    func obstacle() -> HealthCheckModel? {
        guard access(data, R_OK | X_OK) == 0 else {
            return .problem(
                "directory", "\(data) cannot be looked at: \(Self.reason).",
                mend: "Run this as the owner of the folder, or with sudo.")
        }
        guard status("hub.db") == nil, status("hub.lock") == nil else { return nil }
        // An unreadable folder was told of above.
        let isEmpty = (try? FileManager.default.contentsOfDirectory(atPath: data))?.isEmpty ?? false
        return .problem(
            "directory",
            isEmpty ? "No hub has been started in \(data) yet." : "\(data) is not the data directory of a hub.",
            mend: isEmpty ? "Start one with “csghub serve --data '\(data)'”." : "Name the right one with --data.")
    }

    // MARK: - Files

    private func folder() -> HealthCheckModel {
        guard let status = status("") else {
            return .problem(
                "directory", "\(data) cannot be looked at: \(Self.reason).",
                mend: "Run this as the owner of the folder, or with sudo.")
        }
        let mode = status.st_mode & 0o777
        let mend = "chmod 0750 '\(data)'"
        if mode & 0o022 != 0 {
            return .problem("directory", "Others may change what is in \(data) (mode \(Self.octal(mode))).", mend: mend)
        }
        if mode & 0o005 != 0 {
            return .warning("directory", "Others may look into \(data) (mode \(Self.octal(mode))).", mend: mend)
        }
        for name in ["hub.db", "objects", "git", "staging"] {
            guard let part = self.status(name) else { continue }
            if part.st_uid != status.st_uid {
                return .problem(
                    "directory", "\(name) belongs to user \(part.st_uid), the folder to user \(status.st_uid).",
                    mend: "Stop the hub, then: chown -R \(status.st_uid):\(status.st_gid) '\(data)'")
            }
            if part.st_dev != status.st_dev {
                return .problem(
                    "directory",
                    "\(name) is on another file system than the rest, so files cannot be put in place in one step.",
                    mend: "Keep the whole of \(data) on one file system.")
            }
        }
        return .ok("directory", "\(data) has the right owner and mode.")
    }

    private func secrets() -> HealthCheckModel {
        guard let folder = status("secrets") else {
            return .ok("secrets", "There are no keys yet; they are made at first start.")
        }
        var loose: [String] = folder.st_mode & 0o077 != 0 ? ["secrets"] : []
        // An unreadable folder shows below as no names, and is a finding of `folder`.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: data + "/secrets")) ?? [] {
            if let file = status("secrets/\(name)"), file.st_mode & 0o077 != 0 { loose.append("secrets/\(name)") }
        }
        guard loose.isEmpty else {
            return .problem(
                "secrets", "Others may read \(loose.sorted().joined(separator: ", ")).",
                mend: "chmod -R go= '\(data)/secrets'; then think of who may have copied the keys.")
        }
        return .ok("secrets", "Only the owner may read the keys.")
    }

    private func disk() -> HealthCheckModel {
        var space = statvfs()
        guard statvfs(data, &space) == 0 else {
            return .problem(
                "disk", "The disk of \(data) cannot be asked: \(Self.reason).", mend: "See that it is mounted.")
        }
        let free = Int64(clamping: UInt64(space.f_bavail) * UInt64(space.f_frsize))
        let total = max(1, Int64(clamping: UInt64(space.f_blocks) * UInt64(space.f_frsize)))
        let text = "\(DisplayText.bytes(free)) of \(DisplayText.bytes(total)) are free"
        let mend = "Delete repositories that nobody needs, or give the file system more room."
        if space.f_files > 0, space.f_favail * 50 < space.f_files {
            return .problem("disk", "The file system has nearly no room for further files (inodes).", mend: mend)
        }
        if free < 1 << 30 || free < total / 50 {
            return .problem("disk", "The disk is nearly full: \(text).", mend: mend)
        }
        if free < total / 10 { return .warning("disk", "The disk fills up: \(text).", mend: mend) }
        return .ok("disk", "\(text).")
    }

    private func clock() -> HealthCheckModel {
        let mend =
            "Set the clock, or have it set from a time server (timedatectl set-ntp true). Tokens and certificates depend on it."
        // No hub is older than its first version.
        guard now > Date(timeIntervalSince1970: 1_767_225_600) else {
            return .problem(
                "clock", "The clock says \(DisplayText.time(now)), which is before this program was made.", mend: mend)
        }
        for name in ["hub.db", "hub.db-wal", "hub.lock"] {
            guard let file = status(name) else { continue }
            let changed = Date(timeIntervalSince1970: Double(file.st_mtim.tv_sec))
            if changed > now.addingTimeInterval(300) {
                return .problem(
                    "clock",
                    "The clock says \(DisplayText.time(now)), but \(name) was changed at \(DisplayText.time(changed)).",
                    mend: mend)
            }
        }
        return .ok("clock", "The clock says \(DisplayText.time(now)) UTC.")
    }

    // MARK: - Settings and certificates

    private func settings() -> HealthCheckModel {
        do {
            let settings = try read()
            let isPublic = settings.listen.contains {
                !$0.description.hasPrefix("127.") && !$0.description.hasPrefix("[::1]")
                    && !$0.description.hasPrefix("localhost")
            }
            if !(servesEncrypted ?? (settings.tls != .off)), isPublic, settings.trustedProxies.isEmpty {
                return .warning(
                    "settings",
                    "The hub listens beyond this machine without TLS; passwords and tokens cross the network in the clear.",
                    mend: "Use --tls auto, or name the proxy that ends TLS with --trusted-proxy.")
            }
            if isPublic, settings.externalURLs.isEmpty {
                return .warning(
                    "settings", "No external URL is set, so links use this machine's own names.",
                    mend: "Set --external-url or CSGHUB_EXTERNAL_URL to the address that clients use.")
            }
            return .ok("settings", "The settings can be read.")
        } catch {
            return .problem(
                "settings", CommandFailure(error).message,
                mend: "Mend the value; “csghub serve --help” shows what may be set.")
        }
    }

    private func read() throws -> HubSettings {
        try HubSettings.read(flags: ["data": [data]], environment: environment)
    }

    private func certificates() -> [HealthCheckModel] {
        // A wrong setting is a finding already.
        guard let settings = try? read() else { return [] }
        guard servesEncrypted != false else {
            return [.ok("certificate", "The hub that runs was started without TLS and shows no certificate.")]
        }
        switch settings.tls {
        case .off: return []
        case .auto:
            guard status("tls/ca.pem") != nil else {
                return [.ok("certificate", "The hub's certificate is made at first start.")]
            }
            return [
                certificate(
                    data + "/tls/ca.pem", "The certificate of the hub's own authority",
                    mend:
                        "Stop the hub, remove secrets/ca.* and tls/ca.pem, start it, and have clients trust the new authority."
                )
            ]
        case .files(let path, _):
            return [
                certificate(
                    path, "The certificate \(path)",
                    mend: "Put a new certificate and key in place; the hub takes them over without a restart.")
            ]
        }
    }

    private func certificate(_ path: String, _ what: String, mend: String) -> HealthCheckModel {
        guard let file = CertificateFile(path: path), let seconds = SiteCertificates.secondsLeft(file.text) else {
            return .problem("certificate", "\(what) cannot be read.", mend: mend)
        }
        let days = seconds / 86_400
        if seconds <= 0 { return .problem("certificate", "\(what) has expired.", mend: mend) }
        if days < 30 {
            return .warning("certificate", "\(what) expires in \(DisplayText.counted(days, "day")).", mend: mend)
        }
        return .ok("certificate", "\(what) is good for \(days) more days.")
    }

    // MARK: -

    private func status(_ name: String) -> stat? {
        var status = stat()
        return lstat(name.isEmpty ? data : "\(data)/\(name)", &status) == 0 ? status : nil
    }

    private static var reason: String { String(cString: strerror(errno)) }
    private static func octal(_ mode: mode_t) -> String { "0" + String(mode, radix: 8) }
}
