import HubCore

/// An entry of a pack that is inflated piece by piece as it arrives: into memory, through the hash, or only to find
/// its end.
///
/// Used by one thread at a time.
final class StreamedEntry {
    enum Result {
        /// The whole object; valid as long as the `StreamedEntry`.
        case bytes(UnsafeRawBufferPointer)
        case hash(ObjectHashStream)
        /// A large delta, which is read again when its base is there.
        case discarded
    }

    private enum Sink {
        case memory(ObjectBuffer)
        case hash(ObjectHashStream)
        case nothing
    }

    private(set) var entry: PackEntry
    let kind: PackEntryKind
    private let stream = InflateStream()
    private let sink: Sink
    private let scratch: ObjectBuffer
    private let size: Int
    private var produced = 0

    init(entry: PackEntry, kind: PackEntryKind) {
        self.entry = entry
        self.kind = kind
        size = Int(entry.sizeBytes)
        switch kind {
        case .offsetDelta, .referenceDelta: sink = .nothing
        case .blob where size > ReceiveLimits.heldBlobBytes: sink = .hash(ObjectHashStream(.blob, sizeBytes: size))
        case .blob, .commit, .tree, .tag: sink = .memory(ObjectBuffer(count: size))
        }
        scratch = ObjectBuffer(count: 64 << 10)
    }

    /// Takes what there is of the entry.
    ///
    /// - Returns: how many bytes belong to it, and whether it is complete.
    func take(_ source: UnsafeRawBufferPointer) throws(GitStoreError) -> (consumed: Int, isFinished: Bool) {
        var consumed = 0
        while true {
            let rest = UnsafeRawBufferPointer(rebasing: source[consumed...])
            let step = try stream.step(rest, into: target)
            entry.crc = CRC32.of(UnsafeRawBufferPointer(rebasing: rest.prefix(step.consumed)), continuing: entry.crc)
            if case .hash(let hash) = sink {
                try hash.append(UnsafeRawBufferPointer(rebasing: scratch.bytes.prefix(step.produced)))
            }
            consumed += step.consumed
            produced += step.produced
            if step.isFinished {
                guard produced == size else { throw .malformed("an object is shorter than its header says") }
                return (consumed, true)
            }
            if step.consumed == 0, step.produced == 0 {
                guard rest.isEmpty else { throw .malformed("an object is longer than its header says") }
                return (consumed, false)
            }
        }
    }

    private var target: UnsafeMutableRawBufferPointer {
        switch sink {
        case .memory(let buffer): UnsafeMutableRawBufferPointer(rebasing: buffer.mutableBytes[produced...])
        case .hash, .nothing:
            UnsafeMutableRawBufferPointer(rebasing: scratch.mutableBytes.prefix(min(scratch.count, size - produced)))
        }
    }

    func result() -> Result {
        switch sink {
        case .memory(let buffer): .bytes(buffer.bytes)
        case .hash(let hash): .hash(hash)
        case .nothing: .discarded
        }
    }
}
