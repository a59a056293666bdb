import ArgumentParser
import BundleFormat
import Bundles
import HubCore

extension BundleCommand {
    struct Create: HubVerb {
        static let configuration = CommandConfiguration(
            abstract: "Writes repositories, folders or caches as a signed bundle to media and prints the bundle's folders.",
            usage: """
                csghub bundle create --out DIR… [--repository KIND NS/NAME[@REV]]… [--folder PATH --as KIND NS/NAME]… [--cache DIR]… [options]
                """,
            discussion: """
                Several --out share the bundle; when they do not suffice, further media are asked for. A run that was interrupted goes \
                on where it stopped when it is repeated.

                Example: csghub bundle create --repository model Qwen/Qwen3-8B --out /media/stick1 /media/stick2
                Example: csghub bundle create --cache ~/.cache/huggingface/hub --out /media/stick
                """)

        @Option(name: .long, parsing: .upToNextOption, help: ArgumentHelp("Where media are mounted, or folders.", valueName: "dir"))
        var out: [String] = []
        @Option(
            name: .long, parsing: .upToNextOption,
            help: ArgumentHelp("A repository of the hub: all refs, or with @REV one branch, tag or commit.", valueName: "kind ns/name"))
        var repository: [String] = []
        @Option(name: .long, help: ArgumentHelp("A folder that becomes a repository; its name follows with --as.", valueName: "path"))
        var folder: [String] = []
        @Option(name: .customLong("as"), parsing: .upToNextOption, help: ArgumentHelp("The name of the folder before it.", valueName: "kind ns/name"))
        var names: [String] = []
        @Option(name: .long, help: ArgumentHelp("A cache of huggingface_hub or ModelScope: every repository in it.", valueName: "dir"))
        var cache: [String] = []
        @Option(name: .long, help: ArgumentHelp("A file that names sources, a line each.", valueName: "file"))
        var collection: [String] = []
        @Option(help: "The media: fat32 (volumes of at most 4 GB), dvd, bd25, bd50, unlimited.") var media = MediaSize.fat32
        @Option(help: ArgumentHelp("The largest volume in bytes, or as 700M or 2GiB.", valueName: "size")) var volumeSize: ByteSize?
        @Option(help: ArgumentHelp("What the target has, as “csghub inventory export” wrote it.", valueName: "inventory")) var since: String?
        @Option(
            name: .long, parsing: .upToNextOption,
            help: ArgumentHelp("Bundles that the target has: ids of bundles made here, or folders of bundles.", valueName: "bundle"))
        var assume: [String] = []
        @Option(help: ArgumentHelp("A private key to sign with, in place of the publisher key.", valueName: "key")) var sign: String?
        @Option(help: "The line of bundles that this is the next of.") var stream = "main"
        @Option(help: "A text for the people at the target.") var note: String?
        @Flag(help: "Tell the exact sizes and write nothing to the media.") var dryRun = false
        @OptionGroup var hub: HubOptions

        func validate() throws {
            guard !out.isEmpty || dryRun else { throw ValidationError("Name at least one folder or mount with --out.") }
            guard BundleManifest.isName(stream) else {
                throw ValidationError("A stream's name has letters, digits, “-”, “_” and “.” only, at most 64.")
            }
            if let volumeSize, volumeSize.bytes < ByteSize.minimumVolumeBytes {
                throw ValidationError("--volume-size must be \(ByteSize.minimumVolumeBytes) or more, so that a segment of 64 MiB fits.")
            }
        }

        func perform(in session: CommandSession) async throws {
            var order = BundleOrder()
            order.repositories = try BundleOrder.repositories(repository)
            order.folders = try BundleOrder.folders(folder, as: names)
            order.caches = cache.map(HubLocation.absolute)
            for file in collection {
                let bytes = try Media.contents(of: HubLocation.absolute(file), name: file, limit: 4 << 20)
                try order.add(collection: String(decoding: bytes, as: UTF8.self), name: file)
            }
            guard !order.isEmpty else {
                throw CommandFailure(.usage, "Say what goes in: --repository KIND NS/NAME, --folder PATH --as KIND NS/NAME, --cache DIR or --collection FILE.")
            }
            try await BundleMaking(
                order: order, outputs: out.map(HubLocation.absolute), media: media, volumeLimit: volumeSize?.bytes ?? media.volumeBytes,
                since: since.map(HubLocation.absolute), assumed: assume, key: sign.map(HubLocation.absolute), stream: stream, note: note,
                isDryRun: dryRun, data: hub.data, session: session
            ).run()
        }
    }
}
