import HubCore

extension BundleRepository {
    var node: JSONNode {
        var members: [JSONMember] = [
            JSONMember("uid", .string(uid)), JSONMember("type", .string(kind.rawValue)), JSONMember("name", .string(name.description)),
            JSONMember("default_branch", .string(defaultBranch)), JSONMember("refs", .array(refs.map(\.node))),
            JSONMember("lfs", .array(objects.map(\.node))),
        ]
        members += JSONMember.optional("description", description)
        if let upstream { members.append(JSONMember("upstream", upstream.node)) }
        if let gitBundle { members.append(JSONMember("git_bundle", gitBundle.node)) }
        if let license { members.append(JSONMember("license", license.node)) }
        if !attachments.isEmpty { members.append(JSONMember("attachments", .array(attachments.map(\.node)))) }
        return .object(members)
    }

    init(_ fields: DocumentFields) throws(BundleError) {
        uid = try fields.text("uid")
        guard Self.isUID(uid) else { throw fields.fault("uid", "is not a ULID") }
        kind = try fields.word("type", RepositoryKind.self)
        name = try fields.repositoryName("name")
        description = try fields.optionalText("description", maximumBytes: 64 << 10)
        defaultBranch = try fields.text("default_branch", maximumBytes: 255)
        guard ReferenceName("refs/heads/" + defaultBranch) != nil else { throw fields.fault("default_branch", "is not a branch's name") }
        upstream = try fields.fields("upstream").map { field throws(BundleError) in try Upstream(field) }
        refs = try fields.objects("refs", maximumCount: 1_000_000) { ref throws(BundleError) in try Ref(ref) }
        guard Set(refs.map(\.name)).count == refs.count else { throw fields.fault("refs", "names a ref twice") }
        gitBundle = try fields.fields("git_bundle").map { field throws(BundleError) in try GitBundle(field) }
        objects = try fields.objects("lfs") { object throws(BundleError) in try LargeObject(object) }
        guard Set(objects.map(\.oid)).count == objects.count else { throw fields.fault("lfs", "names an object twice") }
        license = try fields.fields("license").map { field throws(BundleError) in try License(field) }
        attachments = try fields.objects("attachments", maximumCount: 1000) { file throws(BundleError) in try Attachment(file) }
        guard Set(attachments.map(\.name)).count == attachments.count else { throw fields.fault("attachments", "names a file twice") }
    }
}

extension BundleRepository.Upstream {
    var node: JSONNode {
        .object(
            [JSONMember("kind", .string(kind))] + JSONMember.optional("url", url) + JSONMember.optional("revision", revision)
                + JSONMember.optional("fetched", fetched) + JSONMember.optional("etag", etag)
                + JSONMember.optional("publisher", publisher))
    }

    init(_ fields: DocumentFields) throws(BundleError) {
        kind = try fields.text("kind", maximumBytes: 64)
        url = try fields.optionalText("url")
        revision = try fields.optionalText("revision")
        fetched = try fields.optionalText("fetched", maximumBytes: 40)
        etag = try fields.optionalText("etag")
        publisher = try fields.optionalText("publisher", maximumBytes: 64)
    }
}

extension BundleRepository.Ref {
    var node: JSONNode {
        .object(
            [JSONMember("name", .string(name.text)), JSONMember("oid", .string(oid.hex))] + JSONMember.optional("old", old?.hex))
    }

    init(_ fields: DocumentFields) throws(BundleError) {
        guard let name = ReferenceName(try fields.text("name", maximumBytes: 1024)) else { throw fields.fault("name", "is not a ref's name") }
        self.name = name
        guard let oid = try fields.commit("oid") else { throw fields.fault("oid", "is missing") }
        self.oid = oid
        old = try fields.commit("old")
    }
}

extension BundleRepository.GitBundle {
    var node: JSONNode {
        [
            "sha256": .string(sha256.hex), "size": .integer(sizeBytes),
            "prerequisites": .array(prerequisites.map { .string($0.hex) }),
        ]
    }

    init(_ fields: DocumentFields) throws(BundleError) {
        sha256 = try fields.digest("sha256")
        sizeBytes = try fields.number("size")
        prerequisites = try fields.commits("prerequisites")
    }
}

extension BundleRepository.LargeObject {
    var node: JSONNode {
        [
            "oid": .string(oid.hex), "size": .integer(sizeBytes), "paths": .array(paths.map(JSONNode.string)), "in_bundle": .bool(isInBundle),
        ]
    }

    init(_ fields: DocumentFields) throws(BundleError) {
        oid = try fields.digest("oid")
        sizeBytes = try fields.number("size")
        paths = try fields.texts("paths", maximumCount: 20)
        isInBundle = try fields.flag("in_bundle")
    }
}

extension BundleRepository.License {
    var node: JSONNode {
        .object(
            JSONMember.optional("spdx", spdx) + [
                JSONMember("files", .array(files.map { ["path": .string($0.path), "sha256": .string($0.sha256.hex)] })),
                JSONMember("gated", .bool(isGated)),
            ])
    }

    init(_ fields: DocumentFields) throws(BundleError) {
        spdx = try fields.optionalText("spdx")
        files = try fields.objects("files", maximumCount: 1000) { file throws(BundleError) in
            BundleRepository.DocumentFile(path: try file.text("path"), sha256: try file.digest("sha256"))
        }
        isGated = try fields.flag("gated")
    }
}

extension BundleRepository.Attachment {
    var node: JSONNode {
        ["format": .string(format), "name": .string(name), "sha256": .string(sha256.hex), "size": .integer(sizeBytes)]
    }

    init(_ fields: DocumentFields) throws(BundleError) {
        format = try fields.text("format", maximumBytes: 64)
        name = try fields.text("name", maximumBytes: 64)
        guard BundleRepository.isAttachmentName(name) else { throw fields.fault("name", "is not the name of a file of the format") }
        sha256 = try fields.digest("sha256")
        sizeBytes = try fields.number("size", in: 0...(64 << 20))
    }
}
