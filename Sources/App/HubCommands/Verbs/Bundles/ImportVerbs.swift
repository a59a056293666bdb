import ArgumentParser
import BundleFormat
import Bundles
import HTTPTypes
import HubAPI
import HubCore
import MetadataStore
import NIOCore
import Synchronization

extension BundleCommand {
    struct Import: HubVerb {
        static let configuration = CommandConfiguration(
            abstract: "Imports the bundles on media, as far as they are here, and prints a line for each.",
            discussion: """
                A path is a mounted medium, a folder of bundles, one bundle's folder, or a device such as /dev/sdb1, which is mounted \
                read-only for this import alone. Media may come in any order and over several runs, which go on with the same --map and --visibility; nothing is visible before a bundle is \
                whole, checked and published.

                Exit status: 0 published or waiting for an administrator, 65 damaged, 75 more media or time are needed, 77 not trusted, or \
                of a license that is denied here.

                Example: csghub bundle import /media/ada/STICK1 /media/ada/STICK2
                """)

        @Argument(help: "Mounted media, folders of bundles, or devices.") var paths: [String]
        @Option(
            help: ArgumentHelp(
                "A name of the bundle that gets another name here; repeat it for more.", valueName: "name=name"))
        var map: [String] = []
        @Option(help: "Of new repositories: public, internal or private; internal unless told.") var visibility: Visibility?
        @Flag(help: "Take a bundle that is older than the last one of its stream.") var allowOlder = false
        @Option(help: "Why an older bundle is wanted; kept in the audit log.") var reason: String?
        @Option(
            help: ArgumentHelp(
                "A license that the setting import-licenses asks about and that is accepted, or ALL; repeat it for more.",
                valueName: "license"))
        var acceptLicense: [String] = []
        @Option(help: ArgumentHelp("Only this bundle of those on the media; repeat it for more.", valueName: "id"))
        var bundle: [String] = []
        @Flag(help: "Tell what would be done and what it needs, and copy nothing.") var dryRun = false
        @OptionGroup var list: ListOptions
        @OptionGroup var hub: HubOptions

        func validate() throws {
            guard !paths.isEmpty else {
                throw ValidationError("Name the media, as in: csghub bundle import /media/ada/STICK")
            }
            for text in map {
                do throws(ImportError) { _ = try ImportOptions.mapping(text) } catch {
                    throw ValidationError(error.problem.message)
                }
            }
            guard allowOlder == (reason != nil) else {
                throw ValidationError("--allow-older needs --reason TEXT, and the other way round.")
            }
        }

        func perform(in session: CommandSession) async throws {
            let devices = try MountedDevices(paths.map(HubLocation.absolute))
            defer { devices.release() }
            var order = ImportOrderModel(
                paths: devices.paths, bundles: bundle.isEmpty ? nil : bundle, visibility: visibility,
                olderReason: reason, acceptedLicenses: acceptLicense.isEmpty ? nil : acceptLicense)
            order.map =
                try map.isEmpty
                ? nil : Dictionary(map.map { try ImportOptions.mapping($0) }.map { ($0.from, $0.to) }) { $1 }
            let location = try HubLocation.find(flag: hub.data, environment: session.environment)
            let transport = try await session.connect(location, session)
            let run = ImportRun(client: HubClient(transport: transport), console: session.console, isJSON: list.json)
            do {
                if dryRun { try await run.preflight(order) } else { try await run.start(order, devices) }
            } catch {
                // The verb's own error says more than one of closing.
                try? await transport.close()
                throw error
            }
            try await transport.close()
        }
    }

    struct Resume: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Goes on with an import, from the media it was given before or from others.",
            discussion: "Example: csghub bundle resume 0123456789abcdef /media/ada/STICK2")

        @Argument(help: "The bundle's id.") var bundle: String
        @Argument(help: "Other media, as for “bundle import”.") var paths: [String] = []
        @OptionGroup var list: ListOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            let devices = try MountedDevices(paths.map(HubLocation.absolute))
            defer { devices.release() }
            let order = ImportOrderModel(paths: paths.isEmpty ? nil : devices.paths)
            try await ImportRun(client: client, console: console, isJSON: list.json).run(
                order, at: ["imports", bundle, "resume"])
        }
    }

    struct Status: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists imports, or shows one.",
            discussion: """
                --request writes the small file that asks the publisher for what a parked import presumes.

                Example: csghub bundle status 0123456789abcdef --request request.json
                """)

        @Argument(help: "A bundle's id; all imports unless told.") var bundle: String?
        @Option(help: ArgumentHelp("Write the request of a parked import to this file.", valueName: "file"))
        var request: String?
        @OptionGroup var list: ListOptions
        @OptionGroup var hub: HubOptions

        func validate() throws {
            guard request == nil || bundle != nil else { throw ValidationError("--request needs the bundle's id.") }
        }

        func perform(_ client: HubClient, _ console: Console) async throws {
            if let bundle, let request {
                try await SmallFile.fetch(["imports", bundle, "request"], to: request, client, console)
                return
            }
            if let bundle {
                let found: ImportModel = try await client.get(["imports", bundle])
                if list.json { return console.print(try JSONForm.text(found)) }
                return ImportText.show(found, console)
            }
            let columns: [Column<ImportModel>] = [
                Column("BUNDLE") { $0.bundle }, Column("PUBLISHER") { $0.publisher }, Column("STREAM") { $0.stream },
                Column("NUMBER") { String($0.sequence) },
                Column("STATE") { $0.state.rawValue.replacing("_", with: " ") },
                Column("CHANGED") { DisplayText.time($0.updatedAt) },
            ]
            try await client.printList(
                ["imports"], list, columns, console,
                none: "Nothing was imported yet; begin with “csghub bundle import PATH”.")
        }
    }

    struct Publish: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Publishes an import that waits for an administrator.",
            discussion: """
                --complete publishes those repositories of an unfinished import that are wholly here; it goes on with the others.

                Example: csghub bundle publish 0123456789abcdef
                """)

        @Argument(help: "The bundle's id.") var bundle: String
        @Flag(help: "Only the repositories that are wholly here.") var complete = false
        @OptionGroup var list: ListOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            if complete {
                let report: ImportReportModel = try await client.send(.post, ["imports", bundle, "publish-complete"])
                if list.json { return console.print(try JSONForm.text(report)) }
                return ImportText.show(report, console)
            }
            let done: ImportModel = try await client.send(.post, ["imports", bundle, "publish"])
            if list.json { return console.print(try JSONForm.text(done)) }
            ImportText.show(done, console)
        }
    }

    struct Reject: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Refuses an import and removes what was staged of it.",
            discussion: "Example: csghub bundle reject 0123456789abcdef --reason \"Not for this site.\"")

        @Argument(help: "The bundle's id.") var bundle: String
        @Option(help: "Why; kept with the import and in the audit log.") var reason: String
        @OptionGroup var confirmation: ConfirmationOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            try console.confirm("Reject bundle \(bundle) and remove what was copied of it?", unless: confirmation.yes)
            let done: ImportModel = try await client.send(
                .post, ["imports", bundle, "reject"], ImportRejectionModel(reason: reason))
            console.print("\(done.bundle)\t\(done.state.rawValue)")
        }
    }

    struct Abandon: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Gives an import up and removes what was staged of it.",
            discussion: "Example: csghub bundle abandon 0123456789abcdef --yes")

        @Argument(help: "The bundle's id.") var bundle: String
        @OptionGroup var confirmation: ConfirmationOptions
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            try console.confirm("Give bundle \(bundle) up and remove what was copied of it?", unless: confirmation.yes)
            let done: ImportModel = try await client.send(.post, ["imports", bundle, "abandon"])
            console.print("\(done.bundle)\t\(done.state.rawValue)")
        }
    }

    struct Receipt: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Prints the signed receipt of a published bundle, to be carried back to its publisher.",
            discussion: """
                Where nothing may be carried back, --words prints twelve words to read to the publisher, who types them with --check, with \
                the bundle's id or folder to compare with. They find typing errors and prove nothing; a receipt is signed.

                Example: csghub bundle receipt 0123456789abcdef --out receipt.json
                Example: csghub bundle receipt 0123456789abcdef --words
                """)

        @Argument(help: "The bundle's id; with --check also its folder, or none.") var bundle: String?
        @Option(help: ArgumentHelp("Write it to this file.", valueName: "file")) var out: String?
        @Flag(help: "Print its short form of twelve words.") var words = false
        @Option(
            name: .long, parsing: .upToNextOption,
            help: ArgumentHelp("Tell what the words of a receipt say; needs no hub.", valueName: "words"))
        var check: [String] = []
        @OptionGroup var hub: HubOptions

        func validate() throws {
            guard bundle != nil || !check.isEmpty else { throw ValidationError("Name the bundle by its id.") }
            guard !words || out == nil else { throw ValidationError("--words are printed; leave out --out.") }
        }

        func perform(in session: CommandSession) async throws {
            guard !check.isEmpty else { return try await performOnHub(in: session) }
            try tell(try ReceiptWords(parsing: check), session.console)
        }

        func perform(_ client: HubClient, _ console: Console) async throws {
            let path = ["imports", bundle ?? "", "receipt"]
            guard words else { return try await SmallFile.fetch(path, to: out, client, console) }
            console.print(try ReceiptWords(receipt: await SmallFile.bytes(path, client)).words.joined(separator: " "))
        }

        private func tell(_ words: ReceiptWords, _ console: Console) throws {
            if let bundle {
                let ids = try BundleID(parsing: bundle).map { [$0] } ?? Media.folders(below: HubLocation.absolute(bundle)).map(\.id)
                guard ids.contains(words.bundle) else {
                    throw CommandFailure(
                        .badData, "The words are about bundle \(words.bundle), not about \(ids.map(\.text).joined(separator: ", ")).",
                        code: "other_bundle")
                }
            }
            let kept =
                words.keptRefs == 0
                ? "every ref as it was sent"
                : "\(words.keptRefs == 255 ? "255 refs or more" : DisplayText.counted(words.keptRefs, "ref")) left as they were there"
            console.print(
                "\(words.bundle)\tpublished \(words.date)\t\(DisplayText.counted(words.repositories, "repository", "repositories")), \(kept)\t"
                    + "key \(Fingerprint.text(words.keyID)) …")
        }
    }
}

/// A small file that the hub gives: to a file of the caller, or printed.
enum SmallFile {
    static func bytes(_ path: [String], _ client: HubClient) async throws -> [UInt8] {
        let gathered = Mutex<[UInt8]>([])
        try await client.download(path) { piece in gathered.withLock { $0 += Array(piece.readableBytesView) } }
        return gathered.withLock { $0 }
    }

    static func fetch(_ path: [String], to file: String?, _ client: HubClient, _ console: Console) async throws {
        let bytes = try await bytes(path, client)
        guard let file else { return console.print(String(decoding: bytes, as: UTF8.self)) }
        try OutputDocument.write(bytes, to: file)
        console.print(file)
    }
}
