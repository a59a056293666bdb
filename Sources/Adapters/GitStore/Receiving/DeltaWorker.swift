import HubCore

/// An object in memory that deltas are applied to.
struct DeltaBase: Sendable {
    let entry: Int32
    let type: GitObjectType
    /// How many deltas lie between it and an object stored whole.
    let depth: Int
    let data: ObjectBuffer
}

/// One thread's part in resolving the deltas of a pack.
///
/// It goes down from a whole object to the deltas that build on it, and from each result to those that build on that.
/// As the largest family comes last, when its base is needed no more, few bases are kept at a time however deep the
/// chains are. Those stay in memory up to a limit; the rest is made again from the pack when its turn comes.
final class DeltaWorker {
    private struct Frame {
        let entry: Int32
        let type: GitObjectType
        let depth: Int
        let sizeBytes: Int
        /// `nil` after it had to make room.
        var data: ObjectBuffer?
        var nextOffsetDelta: Int32
        var nextReferenceDelta: Int32
    }

    let inspector: ObjectInspector
    private let job: DeltaResolver
    private let cacheBytes: Int
    private let inflater = Inflater()
    private var frames: [Frame] = []
    private var heldBytes = 0
    private var delta = ObjectBuffer(count: 64 << 10)
    /// A buffer of a result that nothing builds on, for the next result.
    private var spare: ObjectBuffer?
    private var hasPermit = false

    init(_ job: DeltaResolver, cacheBytes: Int, inspector: ObjectInspector) {
        self.job = job
        self.cacheBytes = cacheBytes
        self.inspector = inspector
    }

    func run() throws(GitStoreError) {
        while let task = job.queue.next() {
            try job.stop.check()
            defer { endTask() }
            switch task {
            case .root(let entry):
                let first = job.takeDeltas(on: job.table[entry].oid)
                guard first != PackEntry.none || job.table[entry].firstChild != PackEntry.none else { continue }
                guard let type = job.table[entry].type else { continue }
                let base = DeltaBase(entry: entry, type: type, depth: 0, data: try readWhole(entry))
                try walk(from: base, referenceDeltas: first)
            case .outside(let entry, let list):
                let first = job.takeDeltas(list: list)
                guard first != PackEntry.none else { continue }
                let (type, data) = try readOutside(entry)
                job.table[entry].type = type
                try walk(from: DeltaBase(entry: entry, type: type, depth: 0, data: data), referenceDeltas: first)
            case .branch(let child, let base):
                try resolve(child, on: base)
                try walk()
            }
        }
    }

    private func endTask() {
        frames.removeAll(keepingCapacity: true)
        heldBytes = 0
        if hasPermit {
            spare = nil
            delta = ObjectBuffer(count: 64 << 10)
            job.threads.returnLargeObjectPermit()
            hasPermit = false
        }
    }

    // MARK: The walk

    private func walk(from base: DeltaBase, referenceDeltas: Int32) throws(GitStoreError) {
        push(base, referenceDeltas: referenceDeltas)
        try walk()
    }

    private func walk() throws(GitStoreError) {
        while let top = frames.indices.last {
            guard let child = takeDelta(of: top) else {
                pop(top)
                continue
            }
            if job.queue.isHungry, !hasPermit { shareBranch() }
            let frame = frames[top]
            let data = if let data = frame.data { data } else { try remake(frame.entry) }
            if hasDeltas(top) {
                if frame.data == nil { hold(data, in: top) }
            } else {
                // Nothing needs the base after this delta, so it does not stay while its results are worked on.
                pop(top)
            }
            try resolve(child, on: DeltaBase(entry: frame.entry, type: frame.type, depth: frame.depth, data: data))
        }
    }

    private func takeDelta(of index: Int) -> Int32? {
        let reference = frames[index].nextReferenceDelta
        if reference != PackEntry.none {
            frames[index].nextReferenceDelta = job.table[reference].nextSibling
            job.table[reference].base = frames[index].entry
            return reference
        }
        let child = frames[index].nextOffsetDelta
        guard child != PackEntry.none else { return nil }
        frames[index].nextOffsetDelta = job.table[child].nextSibling
        return child
    }

    private func hasDeltas(_ index: Int) -> Bool {
        frames[index].nextOffsetDelta != PackEntry.none || frames[index].nextReferenceDelta != PackEntry.none
    }

    private func push(_ base: DeltaBase, referenceDeltas: Int32) {
        frames.append(
            Frame(
                entry: base.entry, type: base.type, depth: base.depth, sizeBytes: base.data.count, data: nil,
                nextOffsetDelta: job.table[base.entry].firstChild, nextReferenceDelta: referenceDeltas))
        hold(base.data, in: frames.count - 1)
    }

    private func pop(_ index: Int) {
        if frames[index].data != nil { heldBytes -= frames[index].sizeBytes }
        frames.remove(at: index)
    }

    private func hold(_ data: ObjectBuffer, in index: Int) {
        frames[index].data = data
        heldBytes += data.count
        // The oldest are needed last.
        var oldest = 0
        while heldBytes > cacheBytes, oldest < index {
            if frames[oldest].data != nil {
                frames[oldest].data = nil
                heldBytes -= frames[oldest].sizeBytes
            }
            oldest += 1
        }
    }

    /// Gives the delta that would come last to a thread that has nothing to do.
    private func shareBranch() {
        for index in frames.indices {
            guard let data = frames[index].data, hasDeltas(index), let child = takeDelta(of: index) else { continue }
            let frame = frames[index]
            job.queue.share(
                .branch(child, base: DeltaBase(entry: frame.entry, type: frame.type, depth: frame.depth, data: data)))
            return
        }
    }

    // MARK: One delta

    private func resolve(_ child: Int32, on base: DeltaBase) throws(GitStoreError) {
        guard base.depth < job.limits.maximumDeltaDepth else {
            throw .refused(.overLimit("the pack has deltas upon deltas deeper than \(job.limits.maximumDeltaDepth)"))
        }
        let result = try apply(child, to: base.data)
        let oid = try inspector.inspect(base.type, result.bytes)
        job.table[child].oid = oid
        job.table[child].type = base.type
        job.countResolved()
        let references = job.takeDeltas(on: oid)
        if references == PackEntry.none, job.table[child].firstChild == PackEntry.none {
            spare = result
        } else {
            push(
                DeltaBase(entry: child, type: base.type, depth: base.depth + 1, data: result),
                referenceDeltas: references)
        }
    }

    private func apply(_ child: Int32, to base: ObjectBuffer) throws(GitStoreError) -> ObjectBuffer {
        let size = Int(job.table[child].sizeBytes)
        try takePermit(for: size)
        if delta.capacity < size { delta = ObjectBuffer(count: size) }
        delta.resize(to: size)
        job.countRead(try inflater.inflate(job.storedBytes(of: child), into: delta.mutableBytes))
        let sizes = try Delta.sizes(delta.bytes)
        guard max(sizes.result, sizes.base) <= job.limits.maximumDeltaObjectBytes else {
            throw .refused(
                .overLimit("a delta makes an object of more than \(job.limits.maximumDeltaObjectBytes) bytes"))
        }
        try takePermit(for: sizes.result)
        try job.countInflated(sizes.result)
        let result = makeBuffer(sizes.result)
        try Delta.apply(delta.bytes, to: base.bytes, into: result.mutableBytes)
        return result
    }

    private func makeBuffer(_ size: Int) -> ObjectBuffer {
        // A spare that is much too large would hold memory for nothing.
        if let spare, spare.capacity >= size, spare.capacity <= size * 2 + 4096 {
            self.spare = nil
            spare.resize(to: size)
            return spare
        }
        return ObjectBuffer(count: size)
    }

    private func takePermit(for size: Int) throws(GitStoreError) {
        guard size > ReceiveLimits.largeObjectBytes, !hasPermit else { return }
        job.threads.takeLargeObjectPermit()
        hasPermit = true
        try job.stop.check()
    }

    // MARK: Objects that serve as bases

    private func readWhole(_ entry: Int32) throws(GitStoreError) -> ObjectBuffer {
        let size = job.table[entry].sizeBytes
        guard size <= job.limits.maximumDeltaObjectBytes else {
            throw .refused(.overLimit("a delta's base is larger than \(job.limits.maximumDeltaObjectBytes) bytes"))
        }
        try takePermit(for: Int(size))
        let buffer = ObjectBuffer(count: Int(size))
        job.countRead(try inflater.inflate(job.storedBytes(of: entry), into: buffer.mutableBytes))
        return buffer
    }

    private func readOutside(_ entry: Int32) throws(GitStoreError) -> (GitObjectType, ObjectBuffer) {
        let object = try job.readOutside(job.table[entry].oid)
        try takePermit(for: object.bytes.count)
        let buffer = ObjectBuffer(count: object.bytes.count)
        buffer.mutableBytes.copyBytes(from: object.bytes)
        return (object.type, buffer)
    }

    /// Makes an object again that had to make room.
    private func remake(_ entry: Int32) throws(GitStoreError) -> ObjectBuffer {
        var chain: [Int32] = []
        var current = entry
        while job.table[current].isDelta {
            chain.append(current)
            current = job.table[current].base
        }
        var data = job.isOutside(current) ? try readOutside(current).1 : try readWhole(current)
        for child in chain.reversed() { data = try apply(child, to: data) }
        return data
    }
}
