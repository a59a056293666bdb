import HubCore

/// Objects that a request names, with annotated tags followed to what they point to.
struct NamedObjects {
    var commits: [ObjectNumber] = []
    var trees: [ObjectNumber] = []
    var blobs: [ObjectNumber] = []
    var tags: [ObjectNumber] = []

    init(_ oids: [GitOID], in objects: GitObjects, reader: ObjectReader, ignoringMissing: Bool) throws(GitStoreError) {
        var seen: Set<GitOID> = []
        for oid in oids where seen.insert(oid).inserted {
            guard let number = objects.number(of: oid) else {
                if ignoringMissing { continue }
                throw .missing(oid)
            }
            try add(number, named: oid, in: objects, reader: reader)
        }
    }

    private mutating func add(
        _ number: ObjectNumber, named oid: GitOID, in objects: GitObjects, reader: ObjectReader
    ) throws(GitStoreError) {
        var number = number
        for _ in 0...GitObjects.maximumTagChain {
            switch try reader.header(of: number).type {
            case .commit:
                commits.append(number)
                return
            case .tree:
                trees.append(number)
                return
            case .blob:
                blobs.append(number)
                return
            case .tag:
                tags.append(number)
                let target: GitOID
                do { target = try GitTag(parsing: try reader.load(number, expecting: .tag)).target } catch .malformed(
                    let what)
                {
                    throw .corrupt(what)
                }
                guard let next = objects.number(of: target) else { throw .missing(target) }
                number = next
            }
        }
        throw .tagChainTooLong(oid)
    }
}
