import FoundationEssentials
import HubCore

/// How somebody wants a bundle to be imported. Kept with the import, so that it goes on the same way.
package struct ImportOptions: Hashable, Sendable, Codable {
    /// Where media are looked for.
    package var paths: [String]
    /// `NAME` of the bundle to `NAME` here.
    package var map: [String: String]
    /// Of new repositories; `nil` is as before, or internal.
    package var visibility: Visibility?
    /// Why an older bundle than the last one is wanted; `nil` refuses it.
    package var olderReason: String?
    /// Licenses that the site's policy asks about and that were accepted for this import, by their names; `ALL` for any.
    package var acceptedLicenses: [String]

    package init(
        paths: [String] = [], map: [String: String] = [:], visibility: Visibility? = nil,
        olderReason: String? = nil, acceptedLicenses: [String] = []
    ) {
        self.paths = paths
        self.map = map
        self.visibility = visibility
        // An empty one is none.
        self.olderReason = olderReason.flatMap { $0.allSatisfy(\.isWhitespace) ? nil : $0 }
        self.acceptedLicenses = acceptedLicenses
    }

    /// These, and what was said before where these say nothing: whoever brings the next medium need not repeat it.
    func continuing(_ former: ImportOptions) -> ImportOptions {
        ImportOptions(
            paths: paths, map: former.map.merging(map) { _, new in new }, visibility: visibility ?? former.visibility,
            olderReason: olderReason ?? former.olderReason,
            acceptedLicenses: Array(Set(former.acceptedLicenses + acceptedLicenses)).sorted())
    }

    /// Reads `NAME=NAME`.
    package static func mapping(_ text: String) throws(ImportError) -> (from: String, to: String) {
        let sides = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        guard sides.count == 2, isName(sides[0]), isName(sides[1]) else { throw .invalidMapping(text) }
        return (sides[0], sides[1])
    }

    private static func isName(_ text: String) -> Bool {
        // Names that are reserved here may stand on the left.
        (try? RepositoryName(parsing: "\(text)/x")) != nil  // Only whether it can be a name counts.
    }

    func reference(of source: RepositoryReference) throws(ImportError) -> RepositoryReference {
        guard let target = mapped(source.name.owner) else { return source }
        guard let owner = try? NamespaceName(parsing: target),  // Why it is none does not matter.
            let name = try? RepositoryName(owner: owner, name: source.name.name)
        else { throw .invalidMapping("\(source.name.owner)=\(target)") }
        return RepositoryReference(kind: source.kind, name: name)
    }

    /// Where repositories of `owner` go, if that was said.
    func mapped(_ owner: NamespaceName) -> String? {
        map.first { $0.key.lowercased() == owner.key }?.value
    }

    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let data = try? encoder.encode(self) else { return "{}" }  // Plain texts always encode.
        return String(decoding: data, as: UTF8.self)
    }

    init(reading text: String) throws {
        self = try JSONDecoder().decode(ImportOptions.self, from: Data(text.utf8))
    }
}
