import HubCore

/// `BUNDLE.json`: what a bundle carries, what it presumes, and the hashes of everything. It is what is signed.
///
/// Its bytes are canonical JSON; the bundle's id is the first 16 hex digits of their SHA-256. Times and sequence numbers are told to
/// people and never decide anything but a warning, except the ratchet of `sequence` that trust keeps for each key.
package struct BundleManifest: Hashable, Sendable {
    package static let schema = "hubbundle/1"
    package static let fileName = "BUNDLE.json"
    /// About 400,000 large files.
    package static let maximumBytes = 64 << 20

    package enum Kind: String, Hashable, Sendable { case full, delta }

    /// What a delta was made against; for people.
    package struct Base: Hashable, Sendable {
        package var inventory: ObjectID?
        package var bundleIDs: [String]

        package init(inventory: ObjectID? = nil, bundleIDs: [String] = []) {
            self.inventory = inventory
            self.bundleIDs = bundleIDs
        }
    }

    /// One tar file `vol/NNNNNN.tar`.
    package struct Volume: Hashable, Sendable {
        /// 1 and up, without gaps.
        package var number: Int
        package var sizeBytes: Int64
        package var sha256: ObjectID
        package var indexSHA256: ObjectID

        package init(number: Int, sizeBytes: Int64, sha256: ObjectID, indexSHA256: ObjectID) {
            self.number = number
            self.sizeBytes = sizeBytes
            self.sha256 = sha256
            self.indexSHA256 = indexSHA256
        }

        package var file: String { Self.file(number) }
        package static func file(_ number: Int) -> String {
            let digits = String(number)
            return "vol/" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".tar"
        }
    }

    /// One stick or disc.
    package struct Medium: Hashable, Sendable {
        package var number: Int
        package var volumes: [Int]

        package init(number: Int, volumes: [Int]) {
            self.number = number
            self.volumes = volumes
        }
    }

    /// The large objects that the volumes hold; their sorted 32-byte names are the entry `meta/objects.bin` of a volume.
    package struct ObjectCount: Hashable, Sendable {
        package var count: Int
        package var bytes: Int64

        package init(count: Int, bytes: Int64) {
            self.count = count
            self.bytes = bytes
        }
    }

    /// An id of one part that stands for a repository, as `gpt2`.
    package struct Alias: Hashable, Sendable {
        package var kind: RepositoryKind
        package var name: String
        package var target: RepositoryName

        package init(kind: RepositoryKind, name: String, target: RepositoryName) {
            self.kind = kind
            self.name = name
            self.target = target
        }
    }

    package struct CustodyStep: Hashable, Sendable {
        package var step: String
        package var host: String?
        package var `operator`: String?

        package init(step: String, host: String? = nil, operator: String? = nil) {
            self.step = step
            self.host = host
            self.operator = `operator`
        }
    }

    package enum Repair: String, Hashable, Sendable { case none, par2 }

    /// 32 hex digits at random, so that two bundles of the same content have two ids.
    package var nonce: String
    /// The name of who signs, as trust knows it: letters, digits, `-`, `_`, `.`, at most 64.
    package var publisher: String
    /// A line of bundles of one publisher: the same characters.
    package var stream: String
    package var sequence: Int64
    /// `2026-11-20T10:00:00Z`.
    package var created: String
    package var kind: Kind
    package var base: Base?
    package var note: String?
    package var repositories: [BundleRepository]
    package var aliases: [Alias]
    package var volumes: [Volume]
    package var media: [Medium]
    package var objects: ObjectCount
    package var repair: Repair
    package var custody: [CustodyStep]

    package init(
        nonce: String, publisher: String, stream: String, sequence: Int64, created: String, kind: Kind, base: Base? = nil,
        note: String? = nil, repositories: [BundleRepository], aliases: [Alias] = [], volumes: [Volume], media: [Medium],
        objects: ObjectCount, repair: Repair = .none, custody: [CustodyStep] = []
    ) {
        self.nonce = nonce
        self.publisher = publisher
        self.stream = stream
        self.sequence = sequence
        self.created = created
        self.kind = kind
        self.base = base
        self.note = note
        self.repositories = repositories
        self.aliases = aliases
        self.volumes = volumes
        self.media = media
        self.objects = objects
        self.repair = repair
        self.custody = custody
    }

    /// Whether `text` may be a publisher's or a stream's name.
    package static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 64, first != UInt8(ascii: "."), first != UInt8(ascii: "-") else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    /// The folder's name on a medium, for people: `models-prod-42-0123456789abcdef`.
    package func folderName(id: BundleID) -> String { "\(stream)-\(sequence)-\(id)" }
}

/// The name of a bundle: the first 16 hex digits of the SHA-256 of its `BUNDLE.json`.
package struct BundleID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init(manifest digest: ObjectID) { text = String(digest.hex.prefix(16)) }

    package init?(parsing text: some StringProtocol) {
        guard text.utf8.count == 16, text.utf8.allSatisfy({ Hex.value(of: $0) != nil }) else { return nil }
        self.text = String(text)
    }

    package var description: String { text }
}
