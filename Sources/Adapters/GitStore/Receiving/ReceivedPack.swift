import HubCore

/// A pack that passed all checks and waits in quarantine: `GitStore.publish` makes it the repository's, dropping it
/// discards it.
package struct ReceivedPack: Sendable {
    let repository: RepositoryUID
    package let description: PackDescription
    /// The Git LFS pointers among the pack's files, each blob once.
    package let pointers: [(blob: GitOID, pointer: LFSPointer)]
    let folder: QuarantineFolder
    let pack: Pack
    private let tips: [GitOID]
    private let tipTypes: [GitOID: GitObjectType]
    private let peeledTips: [GitOID: GitOID]

    init(
        repository: RepositoryUID, description: PackDescription, folder: QuarantineFolder, pack: Pack, tips: [GitOID],
        objects: GitObjects, pointers: [ObjectInspector.FoundPointer]
    ) throws(GitStoreError) {
        self.repository = repository
        self.description = description
        self.folder = folder
        self.pack = pack
        self.tips = tips
        self.pointers = pointers.map { (blob: $0.blob, pointer: $0.pointer) }
        var types: [GitOID: GitObjectType] = [:]
        var peeled: [GitOID: GitOID] = [:]
        for tip in tips {
            guard let header = try objects.header(of: tip) else { throw .refused(.missingObject(tip, nil)) }
            types[tip] = header.type
            do { peeled[tip] = try objects.peel(tip) } catch .tagChainTooLong {
                throw .refused(.tagChainTooLong(tip))
            }
        }
        tipTypes = types
        peeledTips = peeled
    }

    /// The pack brought no object: the push only names what the repository has, and there is nothing to publish.
    package var isEmpty: Bool { description.objectCount == 0 }

    /// The type of one of the tips that `finish` was given; `nil` for other objects.
    package func type(of tip: GitOID) -> GitObjectType? { tipTypes[tip] }

    /// What one of the tips finally points to: itself unless it is an annotated tag; `nil` for other objects.
    package func peeled(_ tip: GitOID) -> GitOID? { peeledTips[tip] }

    /// The repository's objects together with those of this pack, published or not.
    package func objects(joinedWith existing: GitObjects) throws(GitStoreError) -> GitObjects {
        if existing.packs.contains(where: { $0.id == description.id }) { return existing }
        return try GitObjects(packs: existing.packs + [description], opened: existing.opened + [pack])
    }

    /// The names of files, for telling people which ones are meant.
    ///
    /// Walks down from the tips through trees and commits of this pack only, newest first: new files cannot be named
    /// by old trees. The walk is bounded, so files that only a long history names may be left out.
    ///
    /// - Parameter limit: How many names are wanted at most.
    package func paths(of blobs: Set<GitOID>, limit: Int) -> [GitOID: String] {
        // Names only make a message better; without them it names the objects.
        guard let objects = try? GitObjects(packs: [description], opened: [pack]) else { return [:] }
        var search = PathSearch(objects: objects, wanted: blobs, limit: limit)
        return search.run(from: tips)
    }
}
