import BundleFormat
import FoundationEssentials
import HubCore
import ObjectStore

/// Takes volumes into the staging area of one bundle. Blocking; used by one thread.
///
/// A large object whose segments come in order is hashed as they come, and only that hash decides. One whose segments come in another
/// order is checked segment by segment, and hashed when it is whole. What is wrong then is found by the segments' own hashes.
final class StagingRun {
    /// After an entry with which this much has come since the last one there is a checkpoint. Entries of objects have 64 MiB, so less than
    /// 256 MiB are copied again after a crash.
    static let checkpointBytes: Int64 = 192 << 20
    /// More failing reads in a row than this and the medium counts as gone.
    private static let maximumFailures = 3

    let plan: StagingPlan
    private let area: StagingArea
    private let store: FileObjectStore
    private let stop: StopFlag
    private let tell: (ImportProgress) -> Void
    private let bundle: String
    /// Contents that are here already and need no bytes.
    private let spared: Set<Int>
    private var journal: StagingJournal
    /// Contents that came in order so far, and up to where.
    private var running: [Int: (digest: SHA256Digest, next: Int64)] = [:]
    /// Contents that do not have the hash of their name.
    private var suspects: Set<Int> = []
    private(set) var damaged: [DamagedPlace] = []
    /// Why volumes could not be read.
    private(set) var failures: [BundleError] = []
    private var stagedBytes: Int64 = 0
    private var sinceCheckpoint: Int64 = 0
    private var lastTold = ContinuousClock.now - .seconds(1)

    init(
        plan: StagingPlan, bundle: String, area: StagingArea, store: FileObjectStore, spared: Set<Int>, stop: StopFlag,
        tell: @escaping (ImportProgress) -> Void
    ) throws {
        self.plan = plan
        self.bundle = bundle
        self.area = area
        self.store = store
        self.spared = spared
        self.stop = stop
        self.tell = tell
        journal = try StagingJournal(
            of: area, key: plan.key, slots: plan.slotCount, contents: plan.contents.count,
            volumes: plan.manifest.volumes.count)
        stagedBytes = plan.contents.indices.reduce(0) { $0 + stagedBytes(of: $1) }
    }

    // MARK: - What is there

    var totalBytes: Int64 { plan.contents.reduce(0) { $0 + $1.sizeBytes } }
    var missingBytes: Int64 { totalBytes - stagedBytes }
    /// What the disk must still give. Files are made with all their room, so this is less than what is missing once they are begun.
    func neededBytes() throws -> Int64 {
        try plan.contents.indices.reduce(0) { sum, index in
            guard !spared.contains(index) else { return sum }
            let content = plan.contents[index]
            return sum + max(0, content.sizeBytes - (try area.allocatedBytes(of: content.id)))
        }
    }
    /// Contents whose file is not made yet.
    var missingFiles: Int { plan.contents.indices.filter { !spared.contains($0) && !isComplete($0) }.count }

    private func stagedBytes(of content: Int) -> Int64 {
        if spared.contains(content) { return plan.contents[content].sizeBytes }
        return plan.contents[content].slots.reduce(0) { sum, slot in
            journal.has(.slot, slot) ? sum + Int64(plan.range(of: slot, in: content).count) : sum
        }
    }

    /// All its bytes are here.
    private func isComplete(_ content: Int) -> Bool {
        spared.contains(content) || journal.hasAll(.slot, plan.contents[content].slots)
    }

    /// All its bytes are here, and have the hash of its name.
    func isVerified(_ content: Int) -> Bool { spared.contains(content) || journal.has(.content, content) }

    var isWhole: Bool { plan.contents.indices.allSatisfy(isVerified) }

    /// The volumes that must still be brought. Until everything is here, a volume counts that was not taken in whole.
    var missingVolumes: [BundleManifest.Volume] {
        isWhole ? [] : plan.manifest.volumes.filter { !journal.has(.volume, $0.number - 1) }
    }

    /// Those that need not be read again.
    var takenVolumes: [BundleManifest.Volume] { plan.manifest.volumes.filter { journal.has(.volume, $0.number - 1) } }

    // MARK: - Taking in

    /// Reads whatever these media have and is still needed, then checks what is whole.
    func run(_ locations: [BundleLocation]) throws {
        try makeEmptyContents()
        // One that was journaled and is gone was taken away from outside.
        for (index, content) in plan.contents.enumerated() where !spared.contains(index) && !content.slots.isEmpty {
            if content.slots.contains(where: { journal.has(.slot, $0) }),
                try !area.has(content.id, sizeBytes: content.sizeBytes)
            {
                forget(index)
            }
        }
        if !missingVolumes.isEmpty {
            let present = locations.map { (location: $0, volumes: Set($0.presentVolumes().map(\.number))) }
            let verdicts = try StagingPipeline.run(on: store, into: area) { pipeline in
                do {
                    for volume in missingVolumes {
                        for medium in present where medium.volumes.contains(volume.number) {
                            if try take(volume, from: medium.location, pipeline) { break }
                        }
                    }
                } catch let error as CancellationError {
                    // What came so far counts when it goes on.
                    try checkpoint(pipeline)
                    throw error
                }
                try checkpoint(pipeline)
            }
            note(verdicts)
        }
        try verifyRest()
        try clearUp()
        try journal.write(to: area)
    }

    /// Those of no bytes have no segment.
    private func makeEmptyContents() throws {
        for (index, content) in plan.contents.enumerated() where content.sizeBytes == 0 && !isVerified(index) {
            try area.makeEmpty(content.id)
        }
        try area.syncNames()
    }

    /// Whether every entry of a volume is here now.
    private func take(_ volume: BundleManifest.Volume, from location: BundleLocation, _ pipeline: StagingPipeline)
        throws
        -> Bool
    {
        do {
            let reader = try VolumeReader(path: location.path(of: volume), volume: volume)
            try area.write(reader.index.canonicalBytes, document: Self.indexName(volume.number))
            guard try take(reader, volume, pipeline) else { return false }
            journal.set(.volume, volume.number - 1)
            return true
        } catch let error as BundleError {
            failures.append(error)
            return false
        }
    }

    /// Whether every entry of it is here now.
    private func take(_ reader: VolumeReader, _ volume: BundleManifest.Volume, _ pipeline: StagingPipeline) throws
        -> Bool
    {
        var failuresInARow = 0
        var isWhole = true
        for (number, entry) in reader.index.entries.enumerated() {
            guard let place = try plan.place(of: entry, volume: volume.number) else { continue }
            let slots = plan.slots(of: place.content, from: place.offset, length: entry.length)
            if spared.contains(place.content) || journal.hasAll(.slot, slots) { continue }
            do {
                try take(reader, number, entry, place, pipeline)
                for slot in slots { journal.set(.slot, slot) }
                failuresInARow = 0
                try conclude(place.content, pipeline)
            } catch let error as BundleError {
                isWhole = false
                running[place.content] = nil
                switch error {
                case .damagedSegment(let number, let offset, let object, let reason):
                    damaged.append(
                        DamagedPlace(
                            volume: number, medium: plan.medium(of: number), offset: offset, object: object,
                            paths: plan.contents[place.content].paths, reason: reason))
                case .truncated:
                    // What follows is not there either.
                    failures.append(error)
                    return false
                default:
                    failures.append(error)
                    failuresInARow += 1
                    if failuresInARow >= Self.maximumFailures { return false }
                }
            }
            if sinceCheckpoint >= Self.checkpointBytes { try checkpoint(pipeline) }
        }
        return isWhole
    }

    private func take(
        _ reader: VolumeReader, _ number: Int, _ entry: VolumeIndex.Entry, _ place: (content: Int, offset: Int64),
        _ pipeline: StagingPipeline
    ) throws {
        let content = plan.contents[place.content]
        if place.offset == 0, !content.slots.contains(where: { journal.has(.slot, $0) }) {
            running[place.content] = (try SHA256Digest(), 0)
        }
        let digest = running[place.content].flatMap { $0.next == place.offset ? $0.digest : nil }
        var offset = place.offset
        func pass(_ bytes: UnsafeRawBufferPointer) throws {
            try stop.check()
            pipeline.append(bytes, of: content.id, sizeBytes: content.sizeBytes, at: offset, digest: digest)
            offset += Int64(bytes.count)
            told(Int64(bytes.count), volume: reader.index.volume)
        }
        switch entry.encoding {
        case .raw: try reader.readStored(number, isHashed: digest == nil, into: pipeline.room, pass)
        case .lz4: try reader.readContent(number, into: pipeline.room, pass)
        }
        reader.dropFromMemory(upTo: number)
        if digest != nil { running[place.content]?.next = offset } else { running[place.content] = nil }
    }

    private func conclude(_ content: Int, _ pipeline: StagingPipeline) throws {
        guard let run = running[content], run.next == plan.contents[content].sizeBytes else { return }
        pipeline.check(plan.contents[content].id, run.digest)
        running[content] = nil
    }

    private func told(_ bytes: Int64, volume: Int) {
        stagedBytes += bytes
        sinceCheckpoint += bytes
        let now = ContinuousClock.now
        guard now - lastTold > .milliseconds(100) else { return }
        lastTold = now
        tell(
            ImportProgress(
                bundle: bundle, phase: .staging, doneBytes: min(stagedBytes, totalBytes), totalBytes: totalBytes,
                volume: volume))
    }

    private func checkpoint(_ pipeline: StagingPipeline) throws {
        sinceCheckpoint = 0
        note(pipeline.verdicts())
        let (journal, area) = (journal, area)
        try pipeline.checkpoint {
            try area.syncNames()
            try journal.write(to: area)
        }
    }

    /// Whether contents that came in order have the hash of their name.
    private func note(_ verdicts: [ObjectID: Bool]) {
        for (id, isRight) in verdicts {
            guard let content = plan.index(of: id) else { continue }
            if isRight { journal.set(.content, content) } else { suspects.insert(content) }
        }
    }

    // MARK: - Checking

    /// Hashes what is whole and was not hashed as it came.
    private func verifyRest() throws {
        var done: Int64 = 0
        let rest = plan.contents.indices.filter { !isVerified($0) && isComplete($0) }
        let total = rest.reduce(0) { $0 + plan.contents[$1].sizeBytes }
        if !rest.isEmpty { tell(ImportProgress(bundle: bundle, phase: .verifying, totalBytes: total)) }
        for index in rest {
            let content = plan.contents[index]
            let hash = try area.hash(content.id, 0..<content.sizeBytes) { bytes in
                try stop.check()
                done += bytes
                let now = ContinuousClock.now
                guard now - lastTold > .milliseconds(100) else { return }
                lastTold = now
                tell(ImportProgress(bundle: bundle, phase: .verifying, doneBytes: done, totalBytes: total))
            }
            if hash == content.id {
                suspects.remove(index)
                journal.set(.content, index)
            } else {
                suspects.insert(index)
            }
        }
    }

    /// Finds the segments at fault of what does not have its hash, and forgets them.
    private func clearUp() throws {
        for index in suspects.sorted() where !journal.has(.content, index) {
            let places = try segments(of: index)
            var isFound = false
            for slot in plan.contents[index].slots {
                guard let place = places[slot] else {
                    // Nobody can say whether it is right.
                    journal.set(.slot, slot, to: false)
                    isFound = true
                    continue
                }
                let range = plan.range(of: slot, in: index)
                // What is compressed was checked before it was decompressed.
                guard place.encoding == .raw, place.isSegment else { continue }
                guard try area.hash(plan.contents[index].id, range) != place.sha256 else { continue }
                isFound = true
                forget(slot, of: index, place)
            }
            if !isFound, let whole = places.values.first(where: { !$0.isSegment }) {
                // One entry with all of the content.
                for slot in plan.contents[index].slots {
                    forget(slot, of: index, slot == plan.contents[index].slots.lowerBound ? whole : nil)
                }
                isFound = true
            }
            if !isFound { throw ImportError.wrongContent(plan.contents[index].id) }
        }
    }

    private struct Place {
        let volume: Int
        let offset: Int64
        let sha256: ObjectID
        let encoding: VolumeIndex.Encoding
        let isSegment: Bool
    }

    /// Which entry of which volume each slot of a content came from, by the indexes that were kept.
    private func segments(of content: Int) throws -> [Int: Place] {
        var places: [Int: Place] = [:]
        for volume in plan.manifest.volumes {
            guard let bytes = try area.document(Self.indexName(volume.number)) else { continue }
            let index = try VolumeIndex(parsing: bytes)
            let layout = try VolumeLayout(indexBytes: bytes.count, entries: index.entries, volume: volume.number)
            for (number, entry) in index.entries.enumerated() {
                guard let place = try plan.place(of: entry, volume: volume.number), place.content == content else {
                    continue
                }
                let isSegment = if case .segment = entry.content { true } else { false }
                for slot in plan.slots(of: content, from: place.offset, length: entry.length) {
                    places[slot] = Place(
                        volume: volume.number, offset: layout.places[number].data, sha256: entry.sha256,
                        encoding: entry.encoding,
                        isSegment: isSegment)
                }
            }
        }
        return places
    }

    private func forget(_ slot: Int, of content: Int, _ place: Place?) {
        journal.set(.slot, slot, to: false)
        guard let place else { return }
        journal.set(.volume, place.volume - 1, to: false)
        damaged.append(
            DamagedPlace(
                volume: place.volume, medium: plan.medium(of: place.volume), offset: place.offset,
                object: plan.contents[content].id,
                paths: plan.contents[content].paths, reason: "its bytes do not have the signed hash"))
    }

    /// Its file is gone.
    private func forget(_ content: Int) {
        for slot in plan.contents[content].slots { journal.set(.slot, slot, to: false) }
        journal.set(.content, content, to: false)
        for volume in plan.manifest.volumes.indices { journal.set(.volume, volume, to: false) }
    }

    static func indexName(_ volume: Int) -> String { "index-\(volume).json" }
}
