import BundleFormat
import HubCore
import Identity
import MetadataStore

/// What the policy of the site, the setting `import-licenses`, says of the licenses in a bundle.
struct ImportLicenses: Hashable, Sendable {
    struct Finding: Hashable, Sendable {
        /// `models/qwen/qwen3`, its name here.
        let repository: String
        /// As declared, or `unknown`.
        let license: String
        let answer: LicensePolicy.Answer
        /// Whoever ordered the import accepted it.
        let isAccepted: Bool

        var text: String { "\(repository) (\(license))" }
    }

    /// What `--accept-license` takes for any license.
    static let all = "ALL"

    /// One for each repository, in their order.
    let findings: [Finding]

    init(_ targets: [ImportTarget], _ options: ImportOptions, _ policy: LicensePolicy) {
        let accepted = Set(options.acceptedLicenses.map { $0.lowercased() })
        findings = targets.map { target in
            let declared = target.source.license?.spdx
            let license = declared ?? LicensePolicy.unknown
            return Finding(
                repository: target.name.description, license: license, answer: policy.answer(for: declared),
                isAccepted: accepted.contains(Self.all.lowercased()) || accepted.contains(license.lowercased()))
        }
    }

    /// - Parameter isApproved: an administrator publishes the import, or will be asked to, and so answers for what is asked.
    func obstacle(isApproved: Bool) -> ImportError? {
        let denied = findings.filter { $0.answer == .deny }
        if !denied.isEmpty { return .licensesDenied(denied.map(\.text)) }
        let open = findings.filter { $0.answer == .ask && !$0.isAccepted }
        guard !isApproved, !open.isEmpty else { return nil }
        return .licensesAsked(open.map(\.text), licenses: Set(open.map(\.license)).sorted())
    }

    /// What the audit log keeps of licenses that somebody had to accept; `nil` when there are none.
    var accepted: String? {
        let asked = findings.filter { $0.answer == .ask }
        return asked.isEmpty ? nil : String(asked.map(\.text).joined(separator: ", ").prefix(4000))
    }
}

extension BundleImporter {
    func licenses(of targets: [ImportTarget], _ options: ImportOptions) async throws -> ImportLicenses {
        // What is stored was checked when it was set.
        let policy = LicensePolicy(try await store.setting(SiteSetting.importLicenses.key) ?? "")
        guard let policy else { throw MetadataError.unusable("The setting import-licenses cannot be read; set it again.") }
        return ImportLicenses(targets, options, policy)
    }
}
