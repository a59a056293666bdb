import Glibc
import HubCore

extension GitObjects {
    /// Writes all that the tips reach as one self-contained pack with its index, as any git takes it into
    /// `objects/pack`.
    ///
    /// - Parameters:
    ///   - folder: Exists and takes `pack-<checksum>.pack` and `.idx`.
    ///   - isCancelled: Asked often; true ends the work with `.cancelled`.
    /// - Returns: `nil` when there are no tips, and then nothing is written.
    package func export(
        tips: [GitOID], to folder: String, isCancelled: @escaping () -> Bool = { false }
    ) throws(GitStoreError) -> PackDescription? {
        guard !tips.isEmpty else { return nil }
        let selected = try reachable(from: tips, isCancelled: isCancelled)
        // A folder of its own, so that what a failure leaves is removed, in the file system of the target.
        let work = try QuarantineFolder(in: folder)
        let file = try OutputFile(creating: work.path + "/pack")
        var merger = PackMerger(
            self, sources: Array(opened.indices), selected: selected, staying: try ObjectSet(capacity: objectCount),
            isCancelled: isCancelled)
        let output = try merger.write(to: file)
        let description = PackDescription(
            id: PackID(output.checksum), objectCount: output.entries.count, sizeBytes: file.sizeBytes,
            bodyEnd: output.bodyEnd, ownObjectCount: output.ownCount, isDisjoint: true, isFullyReachable: true)
        try work.store(output.entries, description)
        for suffix in ["pack", "idx"] {
            let name = "pack-\(description.id).\(suffix)"
            guard chmod("\(work.path)/\(name)", 0o444) == 0, rename("\(work.path)/\(name)", "\(folder)/\(name)") == 0
            else {
                throw .system("export a pack")
            }
        }
        return description
    }
}
