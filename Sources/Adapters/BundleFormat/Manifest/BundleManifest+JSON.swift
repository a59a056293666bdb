import HubCore

extension BundleManifest {
    package var canonicalBytes: [UInt8] {
        var members: [JSONMember] = [
            JSONMember("schema", .string(Self.schema)), JSONMember("id_nonce", .string(nonce)),
            JSONMember("publisher", .string(publisher)), JSONMember("stream", .string(stream)),
            JSONMember("sequence", .integer(sequence)), JSONMember("created", .string(created)),
            JSONMember("kind", .string(kind.rawValue)), JSONMember("repos", .array(repositories.map(\.node))),
            JSONMember("volumes", .array(volumes.map(\.node))),
            JSONMember("media", .array(media.map { ["n": .integer(Int64($0.number)), "volumes": .array($0.volumes.map { .integer(Int64($0)) })] })),
            JSONMember("objects", ["count": .integer(Int64(objects.count)), "bytes": .integer(objects.bytes), "list": "meta/objects.bin"]),
            JSONMember("repair", ["scheme": .string(repair.rawValue)]),
        ]
        if let base {
            members.append(
                JSONMember(
                    "base",
                    .object(
                        [JSONMember("bundle_ids", .array(base.bundleIDs.map(JSONNode.string)))]
                            + JSONMember.optional("inventory_sha256", base.inventory?.hex))))
        }
        members += JSONMember.optional("note", note)
        if !aliases.isEmpty { members.append(JSONMember("aliases", .array(aliases.map(\.node)))) }
        if !custody.isEmpty { members.append(JSONMember("custody", .array(custody.map(\.node)))) }
        return CanonicalJSON.encode(.object(members))
    }

    /// - Throws: `BundleError.invalidDocument`, `.unknownFormat`, `.tooLarge`.
    package init(parsing bytes: [UInt8]) throws(BundleError) {
        let node = try CanonicalJSON.parse(bytes, file: Self.fileName, maximumBytes: Self.maximumBytes)
        let fields = try DocumentFields(node, file: Self.fileName, place: "")
        let schema = try fields.text("schema")
        guard schema == Self.schema else { throw .unknownFormat(schema) }
        nonce = try fields.text("id_nonce")
        guard nonce.utf8.count == 32, nonce.utf8.allSatisfy({ Hex.value(of: $0) != nil }) else {
            throw fields.fault("id_nonce", "is not 32 lower-case hex digits")
        }
        publisher = try fields.text("publisher")
        stream = try fields.text("stream")
        guard Self.isName(publisher) else { throw fields.fault("publisher", "is not a name") }
        guard Self.isName(stream) else { throw fields.fault("stream", "is not a name") }
        sequence = try fields.number("sequence", in: 1...CanonicalJSON.maximumInteger)
        created = try fields.text("created", maximumBytes: 40)
        kind = try fields.word("kind", Kind.self)
        note = try fields.optionalText("note", maximumBytes: 64 << 10)
        if let base = try fields.fields("base") {
            self.base = Base(
                inventory: base.node("inventory_sha256") == nil ? nil : try base.digest("inventory_sha256"),
                bundleIDs: try base.texts("bundle_ids"))
        }
        repositories = try fields.objects("repos", maximumCount: 100_000) { repository throws(BundleError) in try BundleRepository(repository) }
        aliases = try fields.objects("aliases", maximumCount: AliasList.maximumCount) { alias throws(BundleError) in try Alias(alias) }
        volumes = try fields.objects("volumes", maximumCount: 999_999) { volume throws(BundleError) in try Volume(volume) }
        media = try fields.objects("media", maximumCount: 999_999) { medium throws(BundleError) in
            Medium(
                number: Int(try medium.number("n", in: 1...999_999)),
                volumes: try medium.list("volumes").compactMap(\.integer).compactMap { Int(exactly: $0) })
        }
        guard let count = try fields.fields("objects") else { throw fields.fault("objects", "is missing") }
        objects = ObjectCount(count: Int(try count.number("count")), bytes: try count.number("bytes"))
        repair = try fields.fields("repair")?.word("scheme", Repair.self) ?? .none
        custody = try fields.objects("custody", maximumCount: 1000) { step throws(BundleError) in
            CustodyStep(step: try step.text("step"), host: try step.optionalText("host"), operator: try step.optionalText("operator"))
        }
        try check(fields)
    }

    private func check(_ fields: DocumentFields) throws(BundleError) {
        guard volumes.map(\.number) == Array(1..<(volumes.count + 1)) else { throw fields.fault("volumes", "are not numbered from 1 on") }
        guard media.flatMap(\.volumes).sorted() == volumes.map(\.number) else {
            throw fields.fault("media", "do not hold each volume once")
        }
        guard Set(repositories.map(\.uid)).count == repositories.count, Set(repositories.map(\.reference.key)).count == repositories.count else {
            throw fields.fault("repos", "names a repository twice")
        }
        try checkSizes(fields)
        let carried = try objectSizes(fields).filter(\.value.isInBundle)
        guard carried.count == objects.count, carried.values.reduce(0, { $0 + $1.size }) == objects.bytes else {
            throw fields.fault("objects", "do not add up to what the repositories list")
        }
        if kind == .full {
            guard repositories.allSatisfy({ $0.gitBundle?.prerequisites.isEmpty ?? true && $0.objects.allSatisfy(\.isInBundle) }) else {
                throw fields.fault("kind", "is full although something is presumed")
            }
        }
    }

    /// What is listed adds up to a number of the format, so that nobody who counts it has to think of overflow, and a hash has one size
    /// wherever it stands.
    private func checkSizes(_ fields: DocumentFields) throws(BundleError) {
        var sizes: [ObjectID: Int64] = [:]
        var total: Int64 = 0
        func add(_ size: Int64, of id: ObjectID?) throws(BundleError) {
            // Both are below 2⁵³.
            total += size
            guard total <= CanonicalJSON.maximumInteger else {
                throw .tooLarge(what: "What the bundle lists", limit: "\(CanonicalJSON.maximumInteger) bytes")
            }
            guard let id else { return }
            if let known = sizes[id], known != size { throw fields.fault("repos", "give \(id) two sizes") }
            sizes[id] = size
        }
        for volume in volumes { try add(volume.sizeBytes, of: nil) }
        for repository in repositories {
            for object in repository.objects { try add(object.sizeBytes, of: object.oid) }
            for file in repository.attachments { try add(file.sizeBytes, of: file.sha256) }
            if let bundle = repository.gitBundle { try add(bundle.sizeBytes, of: bundle.sha256) }
        }
    }

    /// Every object once; an object has one size, and is in the bundle or is not.
    private func objectSizes(_ fields: DocumentFields) throws(BundleError) -> [ObjectID: (size: Int64, isInBundle: Bool)] {
        var sizes: [ObjectID: (size: Int64, isInBundle: Bool)] = [:]
        for object in repositories.lazy.flatMap(\.objects) {
            if let known = sizes[object.oid], known != (object.sizeBytes, object.isInBundle) {
                throw fields.fault("repos", "give the object \(object.oid) two sizes or places")
            }
            sizes[object.oid] = (object.sizeBytes, object.isInBundle)
        }
        return sizes
    }
}

extension RepositoryReference {
    /// Names are unique without case.
    fileprivate var key: String { "\(kind.rawValue)/\(name.description.lowercased())" }
}

extension JSONMember {
    /// No member for no text.
    static func optional(_ name: String, _ text: String?) -> [JSONMember] { text.map { [JSONMember(name, .string($0))] } ?? [] }
}

extension BundleManifest.Volume {
    var node: JSONNode {
        [
            "n": .integer(Int64(number)), "file": .string(file), "size": .integer(sizeBytes), "sha256": .string(sha256.hex),
            "index_sha256": .string(indexSHA256.hex),
        ]
    }

    init(_ fields: DocumentFields) throws(BundleError) {
        number = Int(try fields.number("n", in: 1...999_999))
        sizeBytes = try fields.number("size")
        sha256 = try fields.digest("sha256")
        indexSHA256 = try fields.digest("index_sha256")
        guard try fields.text("file") == file else { throw fields.fault("file", "is not \(file)") }
    }
}

extension BundleManifest.Alias {
    var node: JSONNode { ["type": .string(kind.rawValue), "alias": .string(name), "name": .string(target.description)] }

    init(_ fields: DocumentFields) throws(BundleError) {
        kind = try fields.word("type", RepositoryKind.self)
        name = try fields.text("alias", maximumBytes: 96)
        target = try fields.repositoryName("name")
        // One id of one part, as a list of aliases has it, and nothing that could be read as two.
        guard let list = AliasList("\(name)=\(target)"), list.entries.count == 1, list.entries[0].name == name else {
            throw fields.fault("alias", "is not an id of one part")
        }
    }
}

extension BundleManifest.CustodyStep {
    var node: JSONNode {
        .object([JSONMember("step", .string(step))] + JSONMember.optional("host", host) + JSONMember.optional("operator", `operator`))
    }
}

extension DocumentFields {
    func repositoryName(_ name: String) throws(BundleError) -> RepositoryName {
        let text = try text(name, maximumBytes: 256)
        guard let value = try? RepositoryName(parsing: text) else { throw fault(name, "is not owner/name") }
        return value
    }
}
