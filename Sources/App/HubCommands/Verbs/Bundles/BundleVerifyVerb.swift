import ArgumentParser
import BundleFormat
import Bundles
import HubAPI
import HubCore
import NIOPosix

extension BundleCommand {
    struct Verify: HubVerb {
        static let configuration = CommandConfiguration(
            abstract: "Checks bundles on media: who signed them, and every byte.",
            discussion: """
                Needs no hub. Media of a bundle may be given in any order; what is on none of them is named. The signature is judged by \
                --trust, or else by the hub of this machine and the user's settings. Where nobody is trusted yet all else is checked, \
                and the command says that the signer is not trusted here.

                Exit status: 0 all is well, 65 something is damaged, 75 a medium could not be read, 77 not trusted.

                Example: csghub bundle verify /media/usb1 /media/usb2
                """)

        @Argument(help: ArgumentHelp("A mount, its HUBBUNDLE folder, or the folder of one bundle.", valueName: "path"))
        var paths: [String]
        @Option(
            help: ArgumentHelp(
                "Trust the publisher of this list of keys, root.N.json, and nobody else; may be repeated.",
                valueName: "file"))
        var trust: [String] = []
        @Flag(help: "One JSON object a bundle instead of text.") var json = false
        @OptionGroup var hub: HubOptions

        func perform(in session: CommandSession) async throws {
            let policy = try await TrustSource(session: session, data: hub.data).policy(files: trust)
            var found: [BundleID: [BundleFolder]] = [:]
            var order: [BundleID] = []
            for path in paths {
                for folder in try Media.folders(below: HubLocation.absolute(path)) {
                    if found[folder.id] == nil { order.append(folder.id) }
                    found[folder.id, default: []].append(folder)
                }
            }
            var worst: CommandFailure?
            for id in order {
                do {
                    try await verify(found[id] ?? [], policy, session.console)
                } catch let error where !(error is CancellationError) {
                    let failure = CommandFailure(error)
                    if worst == nil || failure.status.severity > (worst?.status.severity ?? 0) { worst = failure }
                    if order.count > 1 { session.console.note(DisplayText.safeLines("\(id): \(failure.message)")) }
                }
            }
            if let worst {
                throw order.count > 1
                    ? CommandFailure(worst.status, "Not all bundles are as they should be; see above.") : worst
            }
        }

        private func verify(_ folders: [BundleFolder], _ policy: TrustPolicy, _ console: Console) async throws {
            guard let first = folders.first else { return }
            let signature = try BundleSignature.read(folder: first.path)
            // Before the manifest is parsed: what nobody signed is not looked into.
            let publisher = try signature.checkSubject(first.manifestBytes)
            let judgement = try Judgement(
                policy.judge(manifestBytes: first.manifestBytes, signature: signature),
                isTrustSetUp: !trust.isEmpty || policy.publishers.values.contains { $0.origin != .own })
            let locations = try folders.map { folder throws(BundleError) in try folder.location() }
            guard locations[0].manifest.publisher == publisher else { throw TrustError.otherContent }
            let newest = judgement.root ?? signature.roots.last
            guard let verification = BundleVerification(locations, modelKeys: newest?.content.keys(of: .models) ?? [])
            else { return }
            let bar = ProgressBar("Verifying", total: verification.totalBytes, console: console)
            let report: BundleVerification.Report
            do {
                report = try await NIOThreadPool.singleton.runIfActive { try verification.run { bar.advance(by: $0) } }
            } catch {
                bar.finish()
                throw error
            }
            bar.finish()
            let custody = CustodyChain.joined(try locations.map { try $0.custody() })
            try show(report, of: locations[0], judgement, custody, names: policy.keyNames, console)
        }

        private func show(
            _ report: BundleVerification.Report, of location: BundleLocation, _ judgement: Judgement, _ custody: CustodyChain,
            names: [String: String], _ console: Console
        ) throws {
            for damage in report.damages.prefix(100) { console.note(DisplayText.safeLines(damage.message)) }
            if json {
                console.print(try JSONForm.text(VerifiedBundle(report, location, judgement, custody)))
            } else if report.damages.isEmpty {
                console.print(DisplayText.safe(summary(report, location)))
                console.print(DisplayText.safe(judgement.line))
                CustodyText.show(custody, names: names, console)
            }
            if !report.missingVolumes.isEmpty {
                console.note("Not checked, as they are on other media: \(missing(report, location.manifest)).")
            }
            if let warning = judgement.warning, !json { console.note(DisplayText.safeLines(warning)) }
            for reference in report.otherModelSignatures {
                console.note(DisplayText.safe("The model signature of \(reference) is not by this publisher."))
            }
            guard !report.damages.isEmpty else { return }
            // A medium that went away is tried again; damage is not.
            let isDamaged = report.damages.contains { ExitStatus($0.error.problem.kind) == .badData }
            throw CommandFailure(
                isDamaged ? .badData : .tryAgain,
                "\(DisplayText.counted(report.damages.count, "fault")) in bundle \(location.id); "
                    + (isDamaged
                        ? "copy the media again from their source, or repair them with par2."
                        : "put the medium in again and repeat the command."))
        }

        private func summary(_ report: BundleVerification.Report, _ location: BundleLocation) -> String {
            let manifest = location.manifest
            return "Bundle \(location.id), \(manifest.stream) \(manifest.sequence): "
                + "\(report.checkedVolumes.count) of \(DisplayText.counted(manifest.volumes.count, "volume")) "
                + "and \(DisplayText.counted(report.checkedObjects, "object")) are whole (\(DisplayText.bytes(report.checkedBytes)))."
        }

        private func missing(_ report: BundleVerification.Report, _ manifest: BundleManifest) -> String {
            let numbers = Set(report.missingVolumes.map(\.number))
            let media = manifest.media.filter { !numbers.isDisjoint(with: $0.volumes) }.map { "medium \($0.number)" }
            return "\(DisplayText.counted(numbers.count, "volume"))"
                + (media.isEmpty ? "" : " of \(media.joined(separator: ", "))")
        }
    }
}

/// What is thought of a bundle's signature.
struct Judgement {
    /// For people: `Signed by acme with 1 key.`
    let line: String
    let warning: String?
    let isTrusted: Bool
    let fingerprints: [String]
    let root: TrustRoot?

    /// - Parameter isTrustSetUp: whether an unknown publisher is refused.
    /// - Throws: `TrustError` when the bundle is refused.
    init(_ verdict: TrustVerdict, isTrustSetUp: Bool) throws(TrustError) {
        switch verdict {
        case .trusted(let signers):
            line =
                "Signed by \(signers.publisher), which is trusted here: \(signers.keys.map(\.fingerprint).joined(separator: "; "))"
            warning = nil
            isTrusted = true
            fingerprints = signers.keys.map(\.fingerprint)
            root = signers.root
        case .untrusted(let unknown):
            guard !isTrustSetUp else { throw .unknownPublisher(unknown) }
            line = "The signature is in order, and its signer \(unknown.publisher) is not trusted here."
            warning = unknown.message
            isTrusted = false
            fingerprints = [unknown.fingerprint]
            root = nil
        case .invalid(let error): throw error
        }
    }
}

/// A line of `bundle verify --json`.
struct VerifiedBundle: Codable {
    let bundle: String
    let publisher: String
    let stream: String
    let sequence: Int64
    let isTrusted: Bool
    let fingerprints: [String]
    let checkedVolumes: [Int]
    let missingVolumes: [Int]
    let checkedObjects: Int
    let checkedBytes: Int64
    let signedModels: [String]
    let faults: [String]
    /// The steps of custody, as far as the chain is whole.
    let custody: [String]
    let custodyFault: String?

    init(_ report: BundleVerification.Report, _ location: BundleLocation, _ judgement: Judgement, _ custody: CustodyChain) {
        bundle = location.id.text
        publisher = location.manifest.publisher
        stream = location.manifest.stream
        sequence = location.manifest.sequence
        isTrusted = judgement.isTrusted
        fingerprints = judgement.fingerprints
        checkedVolumes = report.checkedVolumes
        missingVolumes = report.missingVolumes.map(\.number)
        checkedObjects = report.checkedObjects
        checkedBytes = report.checkedBytes
        signedModels = report.signedModels.map(\.description)
        faults = report.damages.map(\.message)
        self.custody = custody.statements.map { "\($0.fileName) \($0.digest)" }
        custodyFault = custody.fault
    }
}

extension ExitStatus {
    /// Which status of several bundles the command ends with.
    fileprivate var severity: Int {
        switch self {
        case .done: 0
        case .tryAgain: 1
        case .unavailable, .failed, .usage: 2
        case .badData: 3
        case .notPermitted: 4
        }
    }
}
