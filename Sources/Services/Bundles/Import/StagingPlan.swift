import BundleFormat
import HubCore

/// What of a bundle must lie in its staging area, by hash, and how its parts are counted. It follows from the manifest alone.
struct StagingPlan: Sendable {
    struct Content: Sendable {
        let id: ObjectID
        let sizeBytes: Int64
        /// Of the journal's bits.
        let slots: Range<Int>
        /// Becomes an object of the store.
        let isObject: Bool
        /// For messages, at most three.
        let paths: [String]
    }

    let manifest: BundleManifest
    let key: ObjectID
    /// By hash.
    let contents: [Content]
    let slotCount: Int
    private let places: [ObjectID: Int]
    private let gitBundles: [String: Int]
    private let attachments: [String: Int]

    /// A pebibyte; a bit each in the journal.
    private static let maximumSlots = 1 << 24

    /// - Throws: `BundleError.tooLarge`.
    init(_ manifest: BundleManifest, key: ObjectID) throws(BundleError) {
        self.manifest = manifest
        self.key = key
        var found: [ObjectID: (size: Int64, isObject: Bool, paths: [String])] = [:]
        func add(_ id: ObjectID, _ size: Int64, isObject: Bool, _ paths: [String]) {
            let known = found[id]
            found[id] = (size, isObject || known?.isObject == true, Array(((known?.paths ?? []) + paths).prefix(3)))
        }
        for repository in manifest.repositories {
            for object in repository.objects where object.isInBundle {
                add(
                    object.oid, object.sizeBytes, isObject: true,
                    object.paths.prefix(3).map { "\(repository.name)/\($0)" })
            }
            if let bundle = repository.gitBundle {
                add(bundle.sha256, bundle.sizeBytes, isObject: false, ["\(repository.name), its git data"])
            }
            for file in repository.attachments {
                add(file.sha256, file.sizeBytes, isObject: true, ["\(repository.name), \(file.name)"])
            }
        }
        var contents: [Content] = []
        var slot = 0
        for (id, content) in found.sorted(by: { $0.key.hex < $1.key.hex }) {
            let count = Int((content.size + VolumeIndex.segmentBytes - 1) / VolumeIndex.segmentBytes)
            guard slot + count <= Self.maximumSlots else { throw .tooLarge(what: "The bundle", limit: "1 PiB") }
            contents.append(
                Content(
                    id: id, sizeBytes: content.size, slots: slot..<(slot + count), isObject: content.isObject,
                    paths: content.paths))
            slot += count
        }
        self.contents = contents
        slotCount = slot
        let places = Dictionary(uniqueKeysWithValues: contents.enumerated().map { ($1.id, $0) })
        self.places = places
        gitBundles = Dictionary(
            manifest.repositories.compactMap { repository in
                repository.gitBundle.flatMap { places[$0.sha256] }.map { (repository.uid, $0) }
            }, uniquingKeysWith: { first, _ in first })
        attachments = Dictionary(
            manifest.repositories.flatMap { repository in
                repository.attachments.compactMap { file in
                    places[file.sha256].map { ("\(repository.uid)/\(file.name)", $0) }
                }
            }, uniquingKeysWith: { first, _ in first })
    }

    func index(of id: ObjectID) -> Int? { places[id] }

    /// Where an entry of a volume belongs: the content and the offset in it. `nil` for what the import does not need.
    /// - Throws: `BundleError.unexpectedContent` when it does not have the size that belongs there.
    func place(of entry: VolumeIndex.Entry, volume: Int) throws(BundleError) -> (content: Int, offset: Int64)? {
        let place: (content: Int, offset: Int64)?
        let isWhole: Bool
        switch entry.content {
        case .segment(let id, let offset): (place, isWhole) = (places[id].map { ($0, offset) }, false)
        case .gitBundle(let uid): (place, isWhole) = (gitBundles[uid].map { ($0, 0) }, true)
        case .attachment(let uid, let name): (place, isWhole) = (attachments["\(uid)/\(name)"].map { ($0, 0) }, true)
        case .list: return nil
        }
        guard let place else { return nil }
        let size = contents[place.content].sizeBytes
        let length = isWhole ? size : min(VolumeIndex.segmentBytes, size - place.offset)
        guard entry.length == length, length >= 0 else {
            throw .unexpectedContent(
                volume: volume, reason: "\(entry.content.name) has another length than the manifest gives it")
        }
        return place
    }

    /// The slots that an entry fills.
    func slots(of content: Int, from offset: Int64, length: Int64) -> Range<Int> {
        let start = contents[content].slots.lowerBound + Int(offset / VolumeIndex.segmentBytes)
        return start..<(start + Int((length + VolumeIndex.segmentBytes - 1) / VolumeIndex.segmentBytes))
    }

    /// The bytes that a slot of a content stands for.
    func range(of slot: Int, in content: Int) -> Range<Int64> {
        let start = Int64(slot - contents[content].slots.lowerBound) * VolumeIndex.segmentBytes
        return start..<min(start + VolumeIndex.segmentBytes, contents[content].sizeBytes)
    }

    func medium(of volume: Int) -> Int? { manifest.media.first { $0.volumes.contains(volume) }?.number }
}
