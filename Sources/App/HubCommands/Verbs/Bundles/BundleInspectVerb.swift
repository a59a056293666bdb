import ArgumentParser
import BundleFormat
import HubCore

extension BundleCommand {
    struct Inspect: HubVerb {
        static let configuration = CommandConfiguration(
            abstract: "Shows what bundles hold, without a hub and without checking them.",
            usage: "csghub bundle inspect PATH… [--json]",
            discussion: """
                A path is a mounted medium, its folder HUBBUNDLE, or the folder of one bundle. Several paths may hold media of one bundle.

                Example: csghub bundle inspect /media/stick
                """)

        @Argument(help: "Mounts or folders.") var paths: [String]
        @Flag(help: "The manifests as they are, one a line.") var json = false
        // Takes --data like every verb, so that scripts may pass it everywhere.
        @OptionGroup var hub: HubOptions

        func perform(in session: CommandSession) async throws {
            for media in try MediaPaths.bundles(paths) {
                let bundle = media[0]
                if json {
                    session.console.print(String(decoding: bundle.manifestBytes, as: UTF8.self))
                    continue
                }
                let present = media.reduce(into: Set<Int>()) { $0.formUnion($1.presentVolumes().map(\.number)) }
                Self.show(bundle.manifest, id: bundle.id, present: present, session.console)
                let custody = CustodyChain.joined(try media.map { try $0.custody() })
                CustodyText.show(custody, names: [:], session.console)
            }
        }

        private static func show(_ manifest: BundleManifest, id: BundleID, present: Set<Int>, _ console: Console) {
            func line(_ title: String, _ text: String) { console.print(DisplayText.padded(title, to: 12) + DisplayText.safe(text)) }
            line("Bundle", id.text)
            line("Stream", "\(manifest.stream) #\(manifest.sequence), \(manifest.kind.rawValue)")
            line("Publisher", "\(manifest.publisher) (says the bundle; “csghub bundle verify” checks the signature)")
            line("Made", manifest.created)
            if let note = manifest.note { line("Note", note) }
            line("Objects", "\(manifest.objects.count), \(DisplayText.bytes(manifest.objects.bytes))")
            line("Volumes", volumes(manifest, present: present))
            for repository in manifest.repositories { line("Repository", text(repository)) }
            for alias in manifest.aliases { line("Alias", "\(alias.kind.rawValue) \(alias.name) is \(alias.target)") }
        }

        private static func volumes(_ manifest: BundleManifest, present: Set<Int>) -> String {
            let size = DisplayText.bytes(manifest.volumes.reduce(0) { $0 + $1.sizeBytes })
            let media = DisplayText.counted(manifest.media.count, "medium", "media")
            let missing = manifest.media.filter { !Set($0.volumes).isSubset(of: present) }.map { String($0.number) }
            let rest = missing.isEmpty ? "all here" : "not here: volumes of medium \(missing.joined(separator: ", "))"
            return "\(manifest.volumes.count), \(size) on \(media); \(rest)"
        }

        private static func text(_ repository: BundleRepository) -> String {
            let bytes = repository.objects.filter(\.isInBundle).reduce(0) { $0 + $1.sizeBytes } + (repository.gitBundle?.sizeBytes ?? 0)
            var parts = [
                "\(repository.kind.rawValue) \(repository.name)", DisplayText.bytes(bytes), DisplayText.counted(repository.refs.count, "ref"),
                DisplayText.counted(repository.objects.count, "large object"),
            ]
            let presumed = repository.objects.count { !$0.isInBundle }
            if presumed > 0 { parts.append("\(presumed) of them presumed at the target") }
            if let spdx = repository.license?.spdx { parts.append("declares \(spdx)") }
            if repository.license?.isGated == true { parts.append("gated") }
            if let upstream = repository.upstream { parts.append("from \(upstream.kind)\(upstream.revision.map { " \($0.prefix(12))" } ?? "")") }
            return parts.joined(separator: ", ")
        }
    }
}
