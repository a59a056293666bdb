import HubCore

/// A repository in a bundle: its name, its refs, its git data, its large objects, and what is said of it.
package struct BundleRepository: Hashable, Sendable {
    package struct Upstream: Hashable, Sendable {
        /// `huggingface`, `modelscope`, `csghub`, `hub`, `folder`.
        package var kind: String
        package var url: String?
        /// The commit there.
        package var revision: String?
        package var fetched: String?
        package var etag: String?
        /// Who signed the bundle by which it came to the hub that sends it on.
        package var publisher: String?

        package init(
            kind: String, url: String? = nil, revision: String? = nil, fetched: String? = nil, etag: String? = nil,
            publisher: String? = nil
        ) {
            self.kind = kind
            self.url = url
            self.revision = revision
            self.fetched = fetched
            self.etag = etag
            self.publisher = publisher
        }
    }

    package struct Ref: Hashable, Sendable {
        package var name: ReferenceName
        package var oid: GitOID
        /// What a delta presumes the ref to be; `nil` presumes nothing.
        package var old: GitOID?

        package init(name: ReferenceName, oid: GitOID, old: GitOID? = nil) {
            self.name = name
            self.oid = oid
            self.old = old
        }
    }

    /// A `git bundle`: the entry `git/<uid>.bundle` of a volume, or segments under its SHA-256 where it is larger than a volume.
    package struct GitBundle: Hashable, Sendable {
        package var sha256: ObjectID
        package var sizeBytes: Int64
        /// Commits that the target must have.
        package var prerequisites: [GitOID]

        package init(sha256: ObjectID, sizeBytes: Int64, prerequisites: [GitOID] = []) {
            self.sha256 = sha256
            self.sizeBytes = sizeBytes
            self.prerequisites = prerequisites
        }
    }

    package struct LargeObject: Hashable, Sendable {
        package var oid: ObjectID
        package var sizeBytes: Int64
        /// At most 20, for messages.
        package var paths: [String]
        /// `false`: the target must have it already.
        package var isInBundle: Bool

        package init(oid: ObjectID, sizeBytes: Int64, paths: [String] = [], isInBundle: Bool = true) {
            self.oid = oid
            self.sizeBytes = sizeBytes
            self.paths = paths
            self.isInBundle = isInBundle
        }
    }

    package struct DocumentFile: Hashable, Sendable {
        package var path: String
        package var sha256: ObjectID

        package init(path: String, sha256: ObjectID) {
            self.path = path
            self.sha256 = sha256
        }
    }

    /// What the author declares; nobody has checked it.
    package struct License: Hashable, Sendable {
        package var spdx: String?
        package var files: [DocumentFile]
        package var isGated: Bool

        package init(spdx: String? = nil, files: [DocumentFile] = [], isGated: Bool = false) {
            self.spdx = spdx
            self.files = files
            self.isGated = isGated
        }
    }

    /// A document in a volume, the entry `meta/<uid>/<name>`.
    package struct Attachment: Hashable, Sendable {
        /// The format of a model's signature.
        package static let modelSignature = "oms"

        /// `oms` (a Sigstore bundle of the OpenSSF Model Signing specification), `spdx-3.0.1+json`, `cyclonedx-1.6-mlbom`, `scan`, `other`.
        package var format: String
        package var name: String
        package var sha256: ObjectID
        package var sizeBytes: Int64

        package init(format: String, name: String, sha256: ObjectID, sizeBytes: Int64) {
            self.format = format
            self.name = name
            self.sha256 = sha256
            self.sizeBytes = sizeBytes
        }
    }

    /// 26 characters of Crockford's base 32 (a ULID), the same in later bundles of the repository.
    package var uid: String
    package var kind: RepositoryKind
    package var name: RepositoryName
    package var description: String?
    /// Without `refs/heads/`.
    package var defaultBranch: String
    package var upstream: Upstream?
    package var refs: [Ref]
    /// `nil` when a delta moves refs to commits that the target has.
    package var gitBundle: GitBundle?
    package var objects: [LargeObject]
    package var license: License?
    package var attachments: [Attachment]

    package init(
        uid: String, kind: RepositoryKind, name: RepositoryName, description: String? = nil, defaultBranch: String = "main",
        upstream: Upstream? = nil, refs: [Ref], gitBundle: GitBundle?, objects: [LargeObject], license: License? = nil,
        attachments: [Attachment] = []
    ) {
        self.uid = uid
        self.kind = kind
        self.name = name
        self.description = description
        self.defaultBranch = defaultBranch
        self.upstream = upstream
        self.refs = refs
        self.gitBundle = gitBundle
        self.objects = objects
        self.license = license
        self.attachments = attachments
    }

    package var reference: RepositoryReference { RepositoryReference(kind: kind, name: name) }

    /// Whether `text` may be a repository's uid in a bundle: it becomes a part of names in tar files.
    package static func isUID(_ text: String) -> Bool {
        text.utf8.count == 26 && text.utf8.allSatisfy { "0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8.contains($0) }
    }

    /// Whether `text` may be the name of an attachment.
    package static func isAttachmentName(_ text: String) -> Bool {
        text != BundleManifest.fileName && BundleManifest.isName(text)
    }
}

extension BundleRepository {
    /// The commit whose files a model's signature speaks of: that of the default branch, or of the only ref.
    package var signedCommit: GitOID? {
        let main = refs.first { $0.name.text == "refs/heads/" + defaultBranch }
        return main?.oid ?? (refs.count == 1 ? refs[0].oid : nil)
    }
}
