import GitStore
import HubCore
import MetadataStore
import NIOCore

/// What a git bundle of a repository holds (gitformat-bundle(5)).
package struct GitBundleSelection: Sendable {
    /// Refs and what they point to; the objects must be stored.
    package let references: [Reference]
    /// Commits that whoever unpacks the bundle has already.
    package let prerequisites: [GitOID]
}

extension GitService {
    /// - Parameters:
    ///   - references: names and objects, as an export told them; a ref may have moved since.
    ///   - haves: commits that the target may have; those that are not stored here are left out.
    /// - Throws: `ProblemError` when an object is not stored any more.
    package func bundleSelection(
        of snapshot: GitSnapshot, references: [(name: ReferenceName, oid: GitOID)], haves: [GitOID]
    ) async throws -> GitBundleSelection {
        try await threads.run {
            let objects = snapshot.objects
            let chosen = try references.map { reference in
                guard objects.contains(reference.oid) else {
                    throw ProblemError(
                        .conflict, code: "object_gone", "\(reference.name) has moved meanwhile; begin again.")
                }
                return Reference(name: reference.name, oid: reference.oid)
            }
            let known = try haves.filter { try objects.header(of: $0)?.type == .commit }
            return GitBundleSelection(references: chosen, prerequisites: Array(Set(known)).sorted())
        }
    }

    /// The bytes of the bundle: its header, then the pack.
    package func bundle(
        _ selection: GitBundleSelection, snapshot: GitSnapshot, fairKey: String
    ) async throws -> (header: ByteBuffer, pack: PackStream) {
        let pack = try await packStream(request(selection), snapshot: snapshot, fairKey: fairKey, framing: .none)
        return (ByteBuffer(string: selection.header(defaultBranch: snapshot.state.defaultBranch)), pack)
    }

    /// The large objects that the files in the bundle name.
    package func pointers(_ selection: GitBundleSelection, snapshot: GitSnapshot) async throws -> [StoredPointer] {
        let request = request(selection)
        return try await threads.run { try snapshot.objects.pointers(answering: request, pathLimit: 20_000) }
    }

    private func request(_ selection: GitBundleSelection) -> FetchRequest {
        FetchRequest(wants: Array(Set(selection.references.map(\.oid))).sorted(), haves: selection.prerequisites)
    }
}

extension GitBundleSelection {
    /// `# v2 git bundle`, the prerequisites, the refs and an empty line. `HEAD` lets `git clone` find the default branch.
    func header(defaultBranch: String) -> String {
        var text = "# v2 git bundle\n"
        for commit in prerequisites { text += "-\(commit)\n" }
        if let head = references.first(where: { $0.name.text == "refs/heads/" + defaultBranch }) { text += "\(head.oid) HEAD\n" }
        for reference in references { text += "\(reference.oid) \(reference.name)\n" }
        return text + "\n"
    }
}
