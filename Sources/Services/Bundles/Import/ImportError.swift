import BundleFormat
import HubCore

/// A place of a volume whose bytes are not those that were signed.
package struct DamagedPlace: Hashable, Sendable {
    package let volume: Int
    /// Of the medium that carries the volume, as the manifest says.
    package let medium: Int?
    /// In the volume's file.
    package let offset: Int64
    package let object: ObjectID
    /// Files of repositories that need it, at most three.
    package let paths: [String]
    package let reason: String

    var text: String {
        let place = "volume \(volume)\(medium.map { " on medium \($0)" } ?? "") at byte \(offset)"
        return "\(place), object \(object)\(paths.isEmpty ? "" : " (\(paths.joined(separator: ", ")))"): \(reason)"
    }
}

/// Why an import stopped. What was staged stays unless a case says otherwise.
package enum ImportError: Error, Hashable {
    /// Another run of the same bundle is under way.
    case busy(String)
    case noBundle([String])
    /// Only the machine's own administrator may name any path.
    case pathNotAllowed(String)
    case noSpace(neededBytes: Int64, freeBytes: Int64)
    case noFiles(needed: Int64, free: Int64)
    /// The disk became full meanwhile.
    case pausedWithoutSpace(String)
    /// Namespaces that an account holds, or that are reserved: somebody must say where their repositories go.
    case needsMapping([String])
    case invalidMapping(String)
    case sameName(String)
    /// The site wants a whole chain of custody, and what is wrong with that of the bundle.
    case custody(String)
    /// Repositories with licenses that the site's policy denies.
    case licensesDenied([String])
    /// Repositories with licenses that somebody must accept, and those licenses.
    case licensesAsked([String], licenses: [String])
    /// Some segments are damaged; everything else is staged.
    case damaged([DamagedPlace])
    /// Volumes that no medium has brought yet, and what went wrong with those that are here.
    case incomplete(bundle: String, volumes: [Int], media: [Int], reasons: [String])
    /// What the bundle presumes is not here.
    case parked(bundle: String, objects: Int, bytes: Int64, commits: Int)
    /// A large object has another hash than its name although each of its segments is as signed.
    case wrongContent(ObjectID)
    /// A repository's git data breaks a rule.
    case refused(repository: String, reason: String)
    /// The publisher signed other files of a model than the bundle brings.
    case wrongModelSignature(repository: String, file: String, differences: [String], count: Int)
    case noReceipt(String)
    case nothingComplete(String)
    case invalidVolume(String)
}

extension ImportError: Refusal {
    package var problem: Problem {
        switch self {
        case .busy(let bundle):
            Problem(
                .conflict, code: "import_busy",
                "Bundle \(bundle) is being imported at this moment; see “csghub bundle status”.")
        case .noBundle(let paths):
            Problem(.missing, code: "no_bundle", "There is no bundle below \(paths.joined(separator: ", ")).")
        case .pathNotAllowed(let path):
            Problem(
                .forbidden, code: "path_not_allowed",
                "\(path) is not below an import directory of the hub. They are the setting import-directories; on the hub's own machine "
                    + "“csghub bundle import PATH” takes any path.")
        case .noSpace(let needed, let free):
            Problem(
                .outOfSpace, code: "no_space",
                "The import needs \(needed) bytes and \(free) are free beside what the hub keeps for itself. Nothing was copied. "
                    + "Free \(needed - free) bytes and repeat the command.")
        case .noFiles(let needed, let free):
            Problem(
                .outOfSpace, code: "no_inodes",
                "The import needs \(needed) files (inodes) and the file system has \(free) left. Nothing was copied.")
        case .pausedWithoutSpace(let bundle):
            Problem(
                .unavailable, code: "paused_no_space",
                "The disk is full, so the import of bundle \(bundle) pauses; what was copied is kept. Free space, then run: "
                    + "csghub bundle resume \(bundle)")
        case .needsMapping(let names):
            Problem(
                .conflict, code: "name_held",
                "Repositories of the bundle belong to names that an account of this hub holds or that are reserved: "
                    + "\(names.joined(separator: ", ")). Say where they go: --map \(names.first ?? "NAME")=OTHER, or "
                    + "--map \(names.first ?? "NAME")=\(names.first ?? "NAME") to put them there all the same.")
        case .invalidMapping(let text):
            Problem(
                .invalid, code: "invalid_map", "“\(text.shortened)” is not of the form NAME=NAME with two valid names.")
        case .sameName(let name):
            Problem(.invalid, code: "same_name", "Two repositories of the bundle would both be \(name); change --map.")
        case .custody(let fault):
            Problem(
                .forbidden, code: "custody",
                "\(fault) The setting import-custody requires whole statements of custody, so nothing of the bundle was published. Bring a "
                    + "medium that has them, or change the setting.")
        case .licensesDenied(let repositories):
            Problem(
                .forbidden, code: "license_denied",
                "The setting import-licenses denies the licenses of \(repositories.listed(atMost: 10)). Nothing of the bundle was published. Ask for a bundle "
                    + "without these repositories, or change the setting.")
        case .licensesAsked(let repositories, let licenses):
            Problem(
                .conflict, code: "license_question",
                "The setting import-licenses wants somebody to accept the licenses of \(repositories.listed(atMost: 10)). Read them, then repeat the command "
                    + "with \(licenses.prefix(5).map { "--accept-license \(ShellWord.quoted($0))" }.joined(separator: " ")), or --accept-license ALL.")
        case .damaged(let places):
            Problem(.unprocessable, code: "damaged_segment", Self.message(of: places))
        case .incomplete(let bundle, let volumes, let media, let reasons):
            Problem(.unavailable, code: "media_missing", Self.message(bundle, volumes, media, reasons))
        case .parked(let bundle, let objects, let bytes, let commits):
            Problem(
                .unavailable, code: "parked",
                "Bundle \(bundle) is whole and waits: it presumes \(Self.presumed(objects, bytes, commits)) that are not here. "
                    + "Ask its publisher for them with the request file (csghub bundle status \(bundle) --request FILE); "
                    + "the import goes on by itself when a bundle brings them.")
        case .wrongContent(let oid):
            Problem(
                .unprocessable, code: "wrong_content",
                "Object \(oid) does not have the content of its name although every segment is as it was signed: the bundle was made wrong. "
                    + "Ask its publisher for another.")
        case .refused(let repository, let reason):
            Problem(
                .unprocessable, code: "repository_refused",
                "The git data of \(repository) is refused: \(reason) Nothing was published.")
        case .wrongModelSignature(let repository, let file, let differences, let count):
            Problem(
                .unprocessable, code: "wrong_model_signature",
                "The publisher’s signature \(file) of \(repository) is one of other files: \(differences.joined(separator: ", "))"
                    + (count > differences.count ? " and \(count - differences.count) more" : "")
                    + ". The bundle was made wrong, or its content was changed before it was signed; nothing was published. Ask its publisher.")
        case .noReceipt(let bundle):
            Problem(.missing, code: "no_receipt", "Bundle \(bundle) is not published, so there is no receipt of it.")
        case .nothingComplete(let bundle):
            Problem(.conflict, code: "nothing_complete", "No repository of bundle \(bundle) is wholly here yet.")
        case .invalidVolume(let name):
            Problem(.invalid, code: "invalid_volume", "\(name.shortened) is no file of this bundle.")
        }
    }

    /// `3 large objects of 9100000000 bytes and 1 commit`.
    private static func presumed(_ objects: Int, _ bytes: Int64, _ commits: Int) -> String {
        var parts: [String] = []
        if objects > 0 { parts.append("\(objects) large object\(objects == 1 ? "" : "s") of \(bytes) bytes") }
        if commits > 0 { parts.append("\(commits) commit\(commits == 1 ? "" : "s")") }
        return parts.joined(separator: " and ")
    }

    private static func message(of places: [DamagedPlace]) -> String {
        let shown = places.prefix(5).map { "  " + $0.text }.joined(separator: "\n")
        let more = places.count > 5 ? "\n  and \(places.count - 5) more" : ""
        let media = Set(places.compactMap(\.medium)).sorted().map(String.init).joined(separator: ", ")
        return """
            \(places.count == 1 ? "A segment is" : "\(places.count) segments are") damaged; all others are kept and nothing is published.
            \(shown)\(more)
            Bring medium \(media.isEmpty ? "of these volumes" : media) again (or another copy of it), or repair it with par2, and repeat the command.
            """
    }

    private static func message(_ bundle: String, _ volumes: [Int], _ media: [Int], _ reasons: [String]) -> String {
        let names = volumes.map { BundleManifest.Volume.file($0) }.listed(atMost: 20)
        let trouble = reasons.prefix(5).map { "\n  " + $0 }.joined()
        return "Bundle \(bundle) is not whole yet; what came is kept. Missing: \(names)"
            + (media.isEmpty ? "" : ", on medium \(media.map(String.init).joined(separator: ", "))") + ".\(trouble)\n"
            + "Bring what is missing and run: csghub bundle import PATH"
    }
}
