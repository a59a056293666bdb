import BundleFormat
import HubCore

/// Makes a bundle from its contents: measures every entry, lays volumes out on media, writes them and seals the media.
///
/// Each step leaves in the work folder what the next needs, so that a run that was interrupted at any instant goes on where it stopped
/// when it is repeated. Calls block; used by one thread at a time.
///
///     head.json   the manifest without volumes        items     what goes in, a JSON object a line
///     measured    an entry a line, once it is known   draft     the manifest with the sizes of volumes and the media
///     volumes     a volume a line, once it is written sealed    a line for each medium that is complete
package final class BundleCreation {
    package typealias Progress = (Int64) throws -> Void

    package let work: CreationFolder
    package let head: BundleManifest
    let items: [BundleItem]

    /// Takes up what an earlier run began; `nil` when there is nothing.
    package init?(resuming work: CreationFolder) throws {
        guard work.has("head.json"), work.has("items") else { return nil }
        self.work = work
        head = try BundleManifest(parsing: work.read("head.json"))
        items = try work.lines(of: "items").map { line in
            guard let item = BundleItem(try JSONParser.parse(Array(line.utf8), limits: .init(depth: 4, values: 1_000_000))) else {
                throw CreationError.damagedWork(path: work.path)
            }
            return item
        }
    }

    /// Begins a bundle.
    ///
    /// - Parameter head: without repositories, volumes, media and objects, which come from `contents`.
    package init(_ contents: BundleContents, head: BundleManifest, in work: CreationFolder) throws {
        var contents = contents
        try contents.settle()
        var head = head
        head.repositories = contents.repositories
        head.aliases = contents.aliases
        head.custody += contents.custody
        let carried = contents.carried
        head.objects = .init(count: carried.count, bytes: carried.values.reduce(0, +))
        var lists = [("objects.bin", BundleContents.list(carried.keys))]
        if !contents.required.isEmpty { lists.append(("requires.bin", BundleContents.list(contents.required))) }
        for (name, bytes) in lists {
            try work.write(bytes, to: name)
            contents.items.insert(BundleItem(content: .list(name), sizeBytes: Int64(bytes.count), path: work.file(name)), at: 0)
        }
        self.work = work
        self.head = head
        items = contents.items
        try work.write(Array((items.map(\.node.text).joined(separator: "\n") + "\n").utf8), to: "items")
        try work.write(head.canonicalBytes, to: "head.json")
        _ = try BundleManifest(parsing: head.canonicalBytes)
    }

    /// The bytes of all contents, before compression.
    package var contentBytes: Int64 { items.reduce(0) { $0 + $1.sizeBytes } }

    /// More than this does not go to the media, whatever is compressed.
    package var greatestBytes: Int64 {
        items.reduce(2 * Self.reserve(for: head)) { $0 + $1.sizeBytes + 2048 * (1 + $1.sizeBytes / VolumeIndex.segmentBytes) }
    }

    /// Whether an earlier run chose what goes where.
    package var hasLayout: Bool { work.has("draft") }

    // MARK: - Measuring

    /// Looks at every entry once.
    ///
    /// - Parameter isHashed: false to learn the sizes only; nothing is kept then.
    package func measure(limitBytes: Int64?, isHashed: Bool = true, progress: Progress) throws -> [VolumeWriter.Source] {
        let known = try measured()
        var sources: [VolumeWriter.Source] = []
        for item in items {
            var pieces = item.pieces(limitBytes: limitBytes)
            let isMeasured = pieces.allSatisfy { known[$0.content]?.length == $0.length }
            if isHashed, !isMeasured, pieces.contains(where: { $0.known == nil }), pieces.count > 1 {
                // A hub's object, whose name is checked at the same time.
                pieces = try hashed(item, progress).pieces(limitBytes: limitBytes)
            } else if pieces.count > 1 {
                try progress(item.sizeBytes)
            }
            var unsaved = ""
            for piece in pieces {
                if let entry = known[piece.content], entry.length == piece.length {
                    sources.append(.init(entry: entry, source: piece.source))
                    if pieces.count == 1 { try progress(piece.length) }
                    continue
                }
                let entry = try EntryMeasure.entry(
                    piece.content, length: piece.length, from: piece.source, isHashed: isHashed, known: piece.known
                ) { bytes in
                    if pieces.count > 1 { try progress(0) } else { try progress(bytes) }
                }
                sources.append(.init(entry: entry, source: piece.source))
                unsaved += "\(entry.content.name) \(entry.length) \(entry.storedLength) \(entry.encoding.rawValue) \(entry.sha256)\n"
            }
            if isHashed, !unsaved.isEmpty { try work.append(unsaved, to: "measured") }
        }
        return sources
    }

    private func hashed(_ item: BundleItem, _ progress: Progress) throws -> BundleItem {
        let hashes = try SegmentHashes(of: item.path, sizeBytes: item.sizeBytes, progress: progress)
        guard item.digest == nil || item.digest == hashes.whole else {
            throw CreationError.badSource(item.path, reason: "does not have the content that its name says; check the hub with “csghub object verify”")
        }
        var item = item
        item.segments = hashes.segments
        return item
    }

    private func measured() throws -> [VolumeIndex.Content: VolumeIndex.Entry] {
        var entries: [VolumeIndex.Content: VolumeIndex.Entry] = [:]
        for line in try work.lines(of: "measured") {
            let words = line.split(separator: " ")
            guard words.count == 5, let content = VolumeIndex.Content(parsing: String(words[0])), let length = Int64(words[1]),
                let stored = Int64(words[2]), let encoding = VolumeIndex.Encoding(rawValue: String(words[3])),
                let sha256 = ObjectID(hex: words[4])
            else { throw CreationError.damagedWork(path: work.file("measured")) }
            entries[content] = .init(content: content, length: length, storedLength: stored, encoding: encoding, sha256: sha256)
        }
        return entries
    }

    // MARK: - Layout

    /// Lays the entries out, or takes the layout that an earlier run chose.
    package func layout(
        _ sources: [VolumeWriter.Source], limitBytes: Int64?, places: [MediaPlan.Place]
    ) throws -> BundleLayout {
        if work.has("draft") {
            let draft = try BundleManifest(parsing: work.read("draft"))
            return try BundleLayout(draft: draft, sources: sources, counts: try savedCounts())
        }
        let layout = try Self.makeLayout(sources, head: head, limitBytes: limitBytes, places: places)
        try work.write(Array(layout.volumes.map { "\($0.count)\n" }.joined().utf8), to: "counts")
        try work.write(layout.draft.canonicalBytes, to: "draft")
        return layout
    }

    /// The layout, without keeping it.
    package static func makeLayout(
        _ sources: [VolumeWriter.Source], head: BundleManifest, limitBytes: Int64?, places: [MediaPlan.Place]
    ) throws -> BundleLayout {
        let stored = sources.reduce(0) { $0 + $1.entry.storedLength }
        // Every medium has the manifest; file systems round files up.
        let places = places.map { place in
            MediaPlan.Place(path: place.path, capacityBytes: place.capacityBytes - reserve(for: head))
        }
        let limit = MediaPlan.volumeLimit(totalBytes: stored, limitBytes: limitBytes, places: places)
        var packing = VolumePacking(limitBytes: limit)
        for source in sources { try packing.add(source.entry) }
        packing.finish()
        let volumes = packing.volumes.map { Array(sources[$0]) }
        let sizes = try volumes.enumerated().map { try VolumeWriter(number: $0.offset + 1, sources: $0.element).sizeBytes }
        let media = try MediaPlan(sizes: sizes, places: places).media
        return BundleLayout(head: head, volumes: volumes, sizes: sizes, media: media)
    }

    /// Room on each medium for the manifest and the files beside it.
    private static func reserve(for head: BundleManifest) -> Int64 { 2 * Int64(head.canonicalBytes.count) + (4 << 20) }

    private func savedCounts() throws -> [Int] {
        try work.lines(of: "counts").map { line in
            guard let count = Int(line) else { throw CreationError.damagedWork(path: work.path) }
            return count
        }
    }

    // MARK: - Writing

    /// What is known of volumes that were written or described.
    package func finishedVolumes() throws -> [Int: BundleManifest.Volume] {
        var volumes: [Int: BundleManifest.Volume] = [:]
        for line in try work.lines(of: "volumes") {
            let words = line.split(separator: " ")
            guard words.count == 4, let number = Int(words[0]), let size = Int64(words[1]), let sha256 = ObjectID(hex: words[2]),
                let index = ObjectID(hex: words[3])
            else { throw CreationError.damagedWork(path: work.file("volumes")) }
            volumes[number] = .init(number: number, sizeBytes: size, sha256: sha256, indexSHA256: index)
        }
        return volumes
    }

    package func record(_ volume: BundleManifest.Volume) throws {
        try work.append("\(volume.number) \(volume.sizeBytes) \(volume.sha256) \(volume.indexSHA256)\n", to: "volumes", sync: true)
    }

    /// Numbers of media that are complete.
    package func sealedMedia() throws -> Set<Int> { Set(try work.lines(of: "sealed").compactMap { Int($0) }) }

    package func recordSealed(_ medium: Int) throws { try work.append("\(medium)\n", to: "sealed", sync: true) }

    /// The manifest, once every volume is known.
    package func manifest(_ layout: BundleLayout) throws -> BundleManifest? {
        let known = try finishedVolumes()
        let volumes = layout.draft.volumes.compactMap { known[$0.number] }
        guard volumes.count == layout.draft.volumes.count else { return nil }
        var manifest = layout.draft
        manifest.volumes = volumes
        return manifest
    }
}

/// Volumes with their entries, and the media they go to.
package struct BundleLayout: Sendable {
    package let volumes: [[VolumeWriter.Source]]
    /// The manifest, in which only the hashes of the volumes are still zeros, so its size is exact.
    package let draft: BundleManifest

    init(head: BundleManifest, volumes: [[VolumeWriter.Source]], sizes: [Int64], media: [Range<Int>]) {
        self.volumes = volumes
        let zero = ObjectID(digest: [UInt8](repeating: 0, count: 32))
        var draft = head
        draft.volumes = sizes.enumerated().map { .init(number: $0.offset + 1, sizeBytes: $0.element, sha256: zero, indexSHA256: zero) }
        draft.media = media.enumerated().map { .init(number: $0.offset + 1, volumes: $0.element.map { $0 + 1 }) }
        self.draft = draft
    }

    init(draft: BundleManifest, sources: [VolumeWriter.Source], counts: [Int]) throws(CreationError) {
        guard counts.reduce(0, +) == sources.count, counts.count == draft.volumes.count else { throw .damagedWork(path: "the layout") }
        var volumes: [[VolumeWriter.Source]] = []
        var start = 0
        for count in counts {
            volumes.append(Array(sources[start..<start + count]))
            start += count
        }
        self.volumes = volumes
        self.draft = draft
    }

    /// What all volumes have together.
    package var totalBytes: Int64 { draft.volumes.reduce(0) { $0 + $1.sizeBytes } }

    package func bytes(of medium: BundleManifest.Medium) -> Int64 { medium.volumes.reduce(0) { $0 + draft.volumes[$1 - 1].sizeBytes } }
}
