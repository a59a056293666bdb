import ArgumentParser
import HubAPI
import HubCore
import NIOCore
import Synchronization

extension RepositoryCommand {
    struct Export: HubVerb {
        static let configuration = CommandConfiguration(
            abstract:
                "Writes a repository with its large objects as an ordinary bare git repository and prints the folder.",
            usage: "csghub repository export KIND NS/NAME DIR",
            discussion: """
                “git clone DIR” and “git fsck” work on it without a hub; large objects are under DIR/lfs/objects. An export that was \
                interrupted goes on where it stopped when it is repeated.

                Example: csghub repository export model ada/bert ./bert.git
                """)

        @Argument(
            help: ArgumentHelp(
                "A kind and a name (or both as models/ada/bert), then the folder.", valueName: "kind ns/name folder"))
        var words: [String]
        @OptionGroup var hub: HubOptions

        func validate() throws { _ = try RepositoryWords(words, then: ["DIR"]) }

        func perform(in session: CommandSession) async throws {
            let words = try RepositoryWords(words, then: ["DIR"])
            let location = try HubLocation.find(flag: hub.data, environment: session.environment)
            let transport = try await session.connect(location, session)
            let export = RepositoryExport(
                client: HubClient(transport: transport), console: session.console, data: location.data,
                reference: words.reference, target: BareRepository(folder: HubLocation.absolute(words.rest[0])))
            let contents: RepositoryExport.Contents
            do {
                contents = try await export.contents()
            } catch {
                // The export's own error says more than one of closing.
                try? await transport.close()
                throw error
            }
            // The files do not change any more, so a hub that was opened for this verb is not needed to copy them.
            try await transport.close()
            try await export.copy(contents)
            session.console.print(words.rest[0])
        }
    }
}

/// Copies what a repository consists of: straight from the data directory where it may be read, else through the API.
struct RepositoryExport: Sendable {
    let client: HubClient
    let console: Console
    let data: String
    let reference: RepositoryReference
    let target: BareRepository

    struct Contents: Sendable {
        var head = "refs/heads/main"
        var references: [ExportLine.Ref] = []
        var packs: [ExportLine.Pack] = []
        var objects: [ExportLine.LargeObject] = []
    }

    func copy(_ contents: Contents) async throws {
        try target.begin()
        let total = contents.packs.reduce(0) { $0 + $1.sizeBytes } + contents.objects.reduce(0) { $0 + $1.sizeBytes }
        let bar = ProgressBar("Exporting", total: total, console: console)
        defer { bar.finish() }
        for pack in contents.packs {
            for ending in ["pack", "idx"] {
                try await copy(
                    "\(pack.path).\(ending)", to: "objects/pack/pack-\(pack.id).\(ending)",
                    sizeBytes: ending == "pack" ? pack.sizeBytes : nil,
                    or: ["export", "packs", "\(pack.id).\(ending)"], bar)
            }
        }
        for object in contents.objects {
            try await copy(
                object.path,
                to: "lfs/objects/\(object.oid.prefix(2))/\(object.oid.dropFirst(2).prefix(2))/\(object.oid)",
                sizeBytes: object.sizeBytes, or: ["objects", object.oid], bar)
        }
        try target.finish(head: contents.head, references: contents.references)
        bar.finish()
        console.note(
            "Exported \(DisplayText.counted(contents.references.count, "ref")), \(DisplayText.counted(contents.packs.count, "pack")) and "
                + "\(DisplayText.counted(contents.objects.count, "large object")), \(DisplayText.bytes(total)).")
    }

    func contents() async throws -> Contents {
        let contents = Mutex(Contents())
        try await client.lines(of: ExportLine.self, reference.apiPath + ["export"]) { line in
            contents.withLock { contents in
                if let repository = line.repository { contents.head = repository.head }
                if let reference = line.reference { contents.references.append(reference) }
                if let pack = line.pack { contents.packs.append(pack) }
                if let object = line.object { contents.objects.append(object) }
            }
        }
        return contents.withLock { $0 }
    }

    private func copy(
        _ source: String, to path: String, sizeBytes: Int64?, or address: [String], _ bar: ProgressBar
    ) async throws {
        if target.has(path, sizeBytes: sizeBytes) {
            bar.advance(by: sizeBytes ?? 0)
            return
        }
        try await target.fill(path, sizeBytes: sizeBytes) { file in
            // Whatever keeps this process from reading the file does not keep the hub from it.
            if let reader = try? LocalFileReader(path: "\(data)/\(source)") {
                try await reader.read { piece in
                    try file.append(piece)
                    bar.advance(by: Int64(piece.readableBytes))
                }
            } else {
                try await client.download(reference.apiPath + address) { piece in
                    try file.append(piece)
                    bar.advance(by: Int64(piece.readableBytes))
                }
            }
        }
    }
}
