import BundleFormat
import HubCore
import ModelFormats

/// What the author of a repository declares as its license: the front matter of README.md, and license files.
package enum DeclaredLicense {
    /// Names of files that hold a license, at the top of a repository.
    package static let fileNames = ["LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "COPYING", "NOTICE", "NOTICE.txt", "USE_POLICY.md"]

    /// - Parameter files: license files by their names, with their bytes.
    package static func of(readme: [UInt8]?, files: [(path: String, bytes: [UInt8])], isGated: Bool = false) -> BundleRepository.License? {
        let data = readme.flatMap { Card(parsing: $0).data }
        let name = data?["license_name"]?.string
        let declared = (data?["license"]?.strings ?? []).map { identifier($0, name: name) }
        // A card with several does not say whether one may choose, so all hold.
        let spdx = declared.isEmpty ? nil : declared.joined(separator: " AND ")
        // Whoever asks readers for something upstream has a gate there.
        let isGated = isGated || data?.members?.contains { $0.name.hasPrefix("extra_gated_") } == true
        guard spdx != nil || !files.isEmpty || isGated else { return nil }
        return BundleRepository.License(
            spdx: spdx, files: files.map { .init(path: $0.path, sha256: BundleDigest.hash($0.bytes)) }, isGated: isGated)
    }

    /// The SPDX identifier for a license as model cards write it; `LicenseRef-…` where SPDX has none.
    static func identifier(_ declared: String, name: String?) -> String {
        let word = declared.lowercased()
        if let known = known[word] { return known }
        let chosen = word == "other" || word == "unknown" ? name ?? word : word
        let letters = chosen.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") ? $0 : "-" }
        return "LicenseRef-" + String(letters.prefix(64))
    }

    private static let known: [String: String] = [
        "apache-2.0": "Apache-2.0", "mit": "MIT", "afl-3.0": "AFL-3.0", "artistic-2.0": "Artistic-2.0", "bsl-1.0": "BSL-1.0",
        "bsd-2-clause": "BSD-2-Clause", "bsd-3-clause": "BSD-3-Clause", "bsd-3-clause-clear": "BSD-3-Clause-Clear", "cc0-1.0": "CC0-1.0",
        "cc-by-2.0": "CC-BY-2.0", "cc-by-3.0": "CC-BY-3.0", "cc-by-4.0": "CC-BY-4.0", "cc-by-sa-3.0": "CC-BY-SA-3.0",
        "cc-by-sa-4.0": "CC-BY-SA-4.0", "cc-by-nc-2.0": "CC-BY-NC-2.0", "cc-by-nc-3.0": "CC-BY-NC-3.0", "cc-by-nc-4.0": "CC-BY-NC-4.0",
        "cc-by-nd-4.0": "CC-BY-ND-4.0", "cc-by-nc-nd-3.0": "CC-BY-NC-ND-3.0", "cc-by-nc-nd-4.0": "CC-BY-NC-ND-4.0",
        "cc-by-nc-sa-2.0": "CC-BY-NC-SA-2.0", "cc-by-nc-sa-3.0": "CC-BY-NC-SA-3.0", "cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0",
        "cdla-sharing-1.0": "CDLA-Sharing-1.0", "cdla-permissive-1.0": "CDLA-Permissive-1.0", "cdla-permissive-2.0": "CDLA-Permissive-2.0",
        "wtfpl": "WTFPL", "ecl-2.0": "ECL-2.0", "epl-1.0": "EPL-1.0", "epl-2.0": "EPL-2.0", "eupl-1.1": "EUPL-1.1", "eupl-1.2": "EUPL-1.2",
        "agpl-3.0": "AGPL-3.0-only", "gpl-2.0": "GPL-2.0-only", "gpl-3.0": "GPL-3.0-only", "lgpl-2.1": "LGPL-2.1-only",
        "lgpl-3.0": "LGPL-3.0-only", "isc": "ISC", "lppl-1.3c": "LPPL-1.3c", "ms-pl": "MS-PL", "mpl-2.0": "MPL-2.0",
        "odc-by": "ODC-By-1.0", "odbl": "ODbL-1.0", "osl-3.0": "OSL-3.0", "postgresql": "PostgreSQL", "ofl-1.1": "OFL-1.1",
        "ncsa": "NCSA", "unlicense": "Unlicense", "zlib": "Zlib", "pddl": "PDDL-1.0", "etalab-2.0": "etalab-2.0", "gfdl": "GFDL-1.3-only",
    ]
}
