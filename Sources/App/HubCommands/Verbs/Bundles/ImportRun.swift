import Bundles
import FoundationEssentials
import Glibc
import HTTPTypes
import HubAPI
import HubCore
import MetadataStore
import Synchronization

/// An import as a person at a terminal sees it: what it will do, a bar, what became of each bundle, and what to do next.
struct ImportRun: Sendable {
    let client: HubClient
    let console: Console
    let isJSON: Bool

    func preflight(_ order: ImportOrderModel) async throws {
        for one in try await found(order) {
            if isJSON { console.print(try JSONForm.text(one)) } else { ImportText.show(one, to: console.print) }
            if let obstacle = one.obstacle {
                let kind = one.obstacleKind.flatMap { Problem.Kind(rawValue: $0) }
                throw CommandFailure(kind.map { ExitStatus($0) } ?? .failed, obstacle.message, code: obstacle.code)
            }
        }
    }

    /// Shows what will be done, asks about names that are held and licenses, and imports; at a terminal it asks for further media.
    func start(_ order: ImportOrderModel, _ devices: MountedDevices) async throws {
        var order = order
        if !isJSON {
            for one in try await found(order) {
                ImportText.show(one, to: console.note)
                for name in one.heldNames where order.map?[name] == nil {
                    order.map = (order.map ?? [:]).merging([name: try ask(name)]) { $1 }
                }
                if one.obstacle?.code == "license_question", canAsk { try accept(one, &order) }
            }
        }
        while true {
            do {
                return try await run(order, at: ["imports", "run"])
            } catch let failure as CommandFailure where failure.code == "media_missing" && canAsk {
                console.note(failure.message)
                console.errors("Put in the next medium and press Enter, or type another path, or q to stop: ")
                guard let answer = console.readAnswer(), answer != "q" else { throw failure }
                if !answer.isEmpty {
                    try devices.add(HubLocation.absolute(answer))
                    order.paths = devices.paths
                }
            }
        }
    }

    private var canAsk: Bool { console.isInputTerminal && console.isErrorTerminal && !isJSON }

    private func found(_ order: ImportOrderModel) async throws -> [PreflightModel] {
        let answer: PreflightListModel = try await client.send(.post, ["imports", "preflight"], order)
        return answer.bundles
    }

    private func accept(_ one: PreflightModel, _ order: inout ImportOrderModel) throws {
        let open = one.repositories.filter { $0.licenseAnswer == .ask && !$0.isLicenseAccepted }
        for license in Set(open.map { $0.license ?? LicensePolicy.unknown }).sorted() {
            let names = open.filter { ($0.license ?? LicensePolicy.unknown) == license }.map(\.name)
            try console.confirm(
                DisplayText.safe("Accept the license \(license) of \(names.listed(atMost: 3))?"), unless: false)
            order.acceptedLicenses = (order.acceptedLicenses ?? []) + [license]
        }
    }

    private func ask(_ name: String) throws -> String {
        guard canAsk else {
            throw CommandFailure(
                .failed,
                "“\(name)” is the name of an account here, or reserved. Say where its repositories go: --map \(name)=OTHER, or "
                    + "--map \(name)=\(name) to put them there all the same.", code: "name_held")
        }
        console.errors("“\(name)” is the name of an account here, or reserved. Put its repositories under which name? ")
        guard let answer = console.readAnswer(), !answer.isEmpty else {
            throw CommandFailure(.failed, "Nothing was changed.")
        }
        return answer
    }

    /// Runs once and prints a line for each bundle.
    /// - Throws: `CommandFailure` for the bundle that went worst.
    func run(_ order: ImportOrderModel, at path: [String]) async throws {
        let bars = ImportBars(console: isJSON ? nil : console)
        let failures = Mutex<[CommandFailure]>([])
        try await client.lines(of: ImportEventModel.self, posting: order, to: path) { event in
            switch event.event {
            case .progress: bars.show(event)
            case .outcome:
                bars.finish()
                if isJSON {
                    console.print(try JSONForm.text(event))
                } else if !event.bundle.isEmpty {
                    console.print(ImportText.line(event))
                }
                if let failure = Self.failure(event) { failures.withLock { $0.append(failure) } }
            }
        }
        bars.finish()
        let all = failures.withLock { $0 }
        // A bundle that is not trusted outweighs one that is damaged, and that one what is only not here yet.
        let order: [ExitStatus] = [.notPermitted, .badData, .failed, .unavailable, .tryAgain]
        guard let worst = order.lazy.compactMap({ status in all.first { $0.status == status } }).first ?? all.first
        else { return }
        for other in all where other != worst { console.note(DisplayText.safe(other.message)) }
        throw worst
    }

    private static func failure(_ event: ImportEventModel) -> CommandFailure? {
        guard let message = event.message, let kind = event.kind.flatMap({ Problem.Kind(rawValue: $0) }) else {
            return nil
        }
        return CommandFailure(ExitStatus(kind), message, code: event.code)
    }
}

/// One bar at a time: for staging, then for checking.
final class ImportBars: Sendable {
    private struct State {
        var bar: ProgressBar?
        var key = ""
        var done: Int64 = 0
    }

    private let console: Console?
    private let state = Mutex(State())

    init(console: Console?) { self.console = console }

    func show(_ event: ImportEventModel) {
        guard let console, let phase = event.phase else { return }
        state.withLock { state in
            let key = "\(event.bundle) \(phase.rawValue)"
            if key != state.key {
                state.bar?.finish()
                state.bar = nil
                state.key = key
                state.done = 0
                if event.totalBytes > 0 {
                    state.bar = ProgressBar(
                        phase == .staging ? "Copying" : "Checking", total: event.totalBytes, console: console)
                }
            }
            state.bar?.advance(by: max(0, event.doneBytes - state.done))
            state.done = max(state.done, event.doneBytes)
        }
    }

    func finish() {
        state.withLock { state in
            state.bar?.finish()
            state.bar = nil
            state.key = ""
        }
    }
}

/// What of an import is printed for people.
enum ImportText {
    static func line(_ event: ImportEventModel) -> String {
        let state =
            event.wasPublished == true
            ? "already published" : event.state?.rawValue.replacing("_", with: " ") ?? "refused"
        return "\(event.bundle)\t\(state)"
    }

    /// Only what there is to say: of licenses that are not simply allowed, what happens to them.
    private static func license(of repository: PreflightModel.Repository) -> String {
        let name = repository.license.map { ", license \($0)" }
        switch repository.licenseAnswer {
        case .allow: return name ?? ""
        case .ask: return (name ?? ", license unknown") + (repository.isLicenseAccepted ? " (accepted)" : " (must be accepted)")
        case .deny: return (name ?? ", license unknown") + " (denied here)"
        }
    }

    static func show(_ one: PreflightModel, to print: (String) -> Void) {
        let last = one.lastSequence.map { " (the last one here is \($0))" } ?? ""
        print(
            DisplayText.safe(
                "Bundle \(one.bundle): \(one.publisher), stream \(one.stream), number \(one.sequence)\(last)"))
        for fingerprint in one.fingerprints { print(DisplayText.safe("  signed by \(fingerprint)")) }
        for repository in one.repositories.prefix(20) {
            let renamed = repository.name == repository.sourceName ? "" : " as \(repository.name)"
            print(
                DisplayText.safe(
                    "  \(repository.sourceName)\(renamed): \(repository.isNew ? "new" : "here already"), "
                        + "\(DisplayText.counted(repository.refCount, "ref")), \(DisplayText.counted(repository.objectCount, "large object")), "
                        + "\(DisplayText.bytes(repository.objectBytes))\(license(of: repository))\(repository.isGated ? ", gated" : "")"
                ))
        }
        if one.repositories.count > 20 { print("  and \(one.repositories.count - 20) more") }
        if !one.organizations.isEmpty {
            print(DisplayText.safe("  makes the organizations \(one.organizations.joined(separator: ", "))"))
        }
        print(
            "  to copy \(DisplayText.bytes(one.copyBytes)) of \(DisplayText.bytes(one.contentBytes)); needs \(DisplayText.bytes(one.neededBytes)) "
                + "(\(one.neededBytes) bytes) and \(one.neededFiles) files; free \(DisplayText.bytes(one.freeBytes))\(one.freeFiles.map { " and \($0) files" } ?? "")"
        )
        let missing = one.volumes.filter { !$0.isPresent && !$0.isDone }
        if !missing.isEmpty {
            let media = Set(missing.compactMap(\.medium)).sorted().map(String.init).joined(separator: ", ")
            print("  not here: \(DisplayText.counted(missing.count, "volume")), on medium \(media)")
        }
        if one.missingObjects + one.missingCommits > 0 {
            print(
                "  presumes \(DisplayText.counted(one.missingObjects, "large object")) and \(DisplayText.counted(one.missingCommits, "commit")) that are not here"
            )
        }
        for step in one.custody {
            print(
                DisplayText.safe(
                    CustodyText.line(
                        number: step.number, step: step.step, operator: step.operator, host: step.host, time: step.time, note: step.note,
                        fingerprint: step.fingerprint, signer: step.signer)))
        }
        for note in one.notes { print(DisplayText.safe("  note: \(note)")) }
    }

    static func show(_ one: ImportModel, _ console: Console) {
        let origin = DisplayText.safe("\(one.publisher), stream \(one.stream), number \(one.sequence)")
        console.print("\(one.bundle)\t\(one.state.rawValue.replacing("_", with: " "))\t\(origin)")
        if let reason = one.reason { console.print(DisplayText.safe(reason)) }
        if let progress = one.progress, progress.totalBytes > 0 {
            console.print("\(DisplayText.bytes(progress.doneBytes)) of \(DisplayText.bytes(progress.totalBytes))")
        }
        if let report = one.report { show(report, console) }
    }

    private static func modelSignature(_ outcome: ImportReport.ModelSignature?) -> String {
        switch outcome {
        case nil: ""
        case .verified: "\tits files are signed by the publisher"
        case .unknownKey: "\tits files are signed by a key that is not the publisher’s"
        case .unchecked: "\tthe signature of its files could not be compared"
        }
    }

    static func show(_ report: ImportReportModel, _ console: Console) {
        for repository in report.repositories {
            console.print(
                "\(DisplayText.safe(repository.name))\t\(repository.isNew ? "new" : "updated")\t"
                    + DisplayText.counted(repository.objectCount, "large object") + modelSignature(repository.modelSignature))
            for ref in repository.refs where ref.outcome == .keptLocal {
                console.print(
                    DisplayText.safe(
                        "  \(ref.name) was moved here and stays; the bundle's is \(ref.storedAs ?? "left out")"))
            }
        }
    }
}

/// Writes a small file of the caller's, replacing what was there.
enum OutputDocument {
    static func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw CommandFailure(.failed, "\(path) cannot be written: \(String(cString: strerror(errno))).")
        }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw CommandFailure(.failed, "\(path) cannot be written: \(String(cString: strerror(errno))).")
            }
            done += count
        }
    }
}
