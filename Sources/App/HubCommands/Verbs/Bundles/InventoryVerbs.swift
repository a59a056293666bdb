import ArgumentParser
import BundleFormat
import Bundles
import Glibc
import HubAPI
import HubCore
import Synchronization

struct InventoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inventory", abstract: "Tells what this hub has, for whoever makes bundles for it.", subcommands: [Export.self])

    struct Export: ClientVerb {
        static let configuration = CommandConfiguration(
            abstract: "Writes the refs and large objects of all repositories to a file.", usage: "csghub inventory export FILE",
            discussion: """
                Carry the file and its signature (FILE.dsse.json) to the side that makes bundles and name it there with “csghub bundle create --since FILE”; the bundle then \
                holds only what is not here yet.

                Example: csghub inventory export /media/stick/inventory.json
                """)

        @Argument(help: "The file to write.") var file: String
        @OptionGroup var hub: HubOptions

        func perform(_ client: HubClient, _ console: Console) async throws {
            var repositories: [RepositoryModel] = []
            try await client.pages(of: RepositoryModel.self, ["repositories"]) { page in
                repositories += page.filter { $0.deletedAt == nil }
            }
            let objects = Mutex<Set<ObjectID>>([])
            var known: [Inventory.Repository] = []
            for model in repositories {
                let reference = RepositoryReference(kind: model.kind, name: try RepositoryName(parsing: "\(model.namespace)/\(model.name)"))
                let refs = Mutex<[Inventory.Repository.Ref]>([])
                try await client.lines(of: ExportLine.self, reference.apiPath + ["export"]) { line in
                    if let ref = line.reference, let name = ReferenceName(ref.name), let oid = GitOID(hex: ref.oid) {
                        refs.withLock { $0.append(.init(name: name, oid: oid)) }
                    }
                    if let oid = line.object.flatMap({ ObjectID(hex: $0.oid) }) { objects.withLock { _ = $0.insert(oid) } }
                }
                known.append(Inventory.Repository(reference: reference, refs: refs.withLock { $0 }))
            }
            let inventory = Inventory(
                site: HostName.text, created: UTCTime.text(Int64(time(nil))), repositories: known, objects: Array(objects.withLock { $0 }))
            let (bytes, path) = (inventory.canonicalBytes, HubLocation.absolute(file))
            try WholeFile.write(bytes, to: path)
            let signature = try await client.bytes(
                posting: ["publisher", "inventory-signature"], query: [("sha256", BundleDigest.hash(bytes).hex)])
            try WholeFile.write(signature, to: InventorySignature.path(of: path))
            console.note(
                "Wrote \(DisplayText.counted(known.count, "repository", "repositories")) and \(DisplayText.counted(inventory.objects.count, "large object")).")
            console.print(file)
        }
    }
}
