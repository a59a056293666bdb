import Dispatch
import FoundationEssentials
import Glibc
import HubCore
import NIOCore
import NIOPosix
import Synchronization

/// Takes in content on three threads: one reads, one hashes, one writes, with 16 MiB between them.
///
/// The reader calls `append` for each piece, `check` at the end of a content that came in order, and `checkpoint` now and then; what
/// goes wrong on another thread is thrown by its next call. Unchecked: `slots` are touched by the reader before the semaphores hand
/// them on, then by the two others until they give them back; what else is shared is in `shared`.
package final class StagingPipeline: @unchecked Sendable {
    package static let pieceBytes = 1 << 20
    private static let slotCount = 16
    /// Write-back is waited for this far behind, so that a checkpoint has little left to wait for.
    private static let writebackDistance: Int64 = 64 << 20

    private enum Step {
        case none
        case data(StagedFile, offset: Int64, count: Int, digest: SHA256Digest?)
        case check(ObjectID, SHA256Digest)
        /// Makes what was written durable, then runs the closure.
        case checkpoint(@Sendable () throws -> Void)
        case end
    }

    private struct Shared {
        var fault: (any Error)?
        var verdicts: [ObjectID: Bool] = [:]
    }

    private final class Count: Sendable {
        let value = Atomic<Int>(0)
    }

    /// Not an array: threads touch different places of it at the same time.
    private let steps = UnsafeMutablePointer<Step>.allocate(capacity: slotCount)
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: slotCount * pieceBytes, alignment: 4096)
    private let left: [Count]
    private var head = 0
    private let free = DispatchSemaphore(value: slotCount)
    private let hashable = DispatchSemaphore(value: 0)
    private let writable = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let shared = Mutex(Shared())

    private init() {
        left = (0..<Self.slotCount).map { _ in Count() }
        steps.initialize(repeating: .none, count: Self.slotCount)
    }

    deinit {
        steps.deinitialize(count: Self.slotCount)
        steps.deallocate()
        buffer.deallocate()
    }

    /// Runs `read` on this thread beside the two others, which are of `store`, and waits until all is written and durable.
    package static func run(on store: FileObjectStore, _ read: (StagingPipeline) throws -> Void) throws {
        let pipeline = StagingPipeline()
        store.stagers.submit { _ in pipeline.hash() }
        store.stagers.submit { _ in pipeline.write() }
        var failure: (any Error)?
        do { try read(pipeline) } catch { failure = error }
        pipeline.put(.end)
        pipeline.ended.wait()
        pipeline.ended.wait()
        // A lost write outweighs whatever the reader met.
        if let fault = pipeline.shared.withLock({ $0.fault }) { throw fault }
        if let failure { throw failure }
    }

    // MARK: - For the reader

    /// Passes on bytes of a content, at most `pieceBytes`; `digest` is fed with them where it is given.
    package func append(_ bytes: UnsafeRawBufferPointer, to file: StagedFile, at offset: Int64, digest: SHA256Digest?)
        throws
    {
        try throwFault()
        free.wait()
        let slot = UnsafeMutableRawBufferPointer(
            rebasing: buffer[(head * Self.pieceBytes)..<((head + 1) * Self.pieceBytes)])
        slot.copyMemory(from: bytes)
        publish(.data(file, offset: offset, count: bytes.count, digest: digest))
    }

    /// Compares the hash of a content that came in order with its name; `verdicts` has the answer later.
    package func check(_ id: ObjectID, _ digest: SHA256Digest) { put(.check(id, digest)) }

    /// The answers that are there by now; each is given once.
    package func verdicts() -> [ObjectID: Bool] {
        shared.withLock { shared in
            defer { shared.verdicts = [:] }
            return shared.verdicts
        }
    }

    /// Makes all that was appended before durable, then runs `work` on the writing thread.
    package func checkpoint(_ work: @escaping @Sendable () throws -> Void) throws {
        try throwFault()
        put(.checkpoint(work))
    }

    private func throwFault() throws {
        if let fault = shared.withLock({ $0.fault }) { throw fault }
    }

    private func put(_ step: Step) {
        free.wait()
        publish(step)
    }

    private func publish(_ step: Step) {
        steps[head] = step
        left[head].value.store(2, ordering: .releasing)
        head = (head + 1) % Self.slotCount
        hashable.signal()
        writable.signal()
    }

    // MARK: - The two other threads

    private func hash() {
        forEachStep(hashable) { step, bytes in
            switch step {
            case .data(_, _, _, let digest): try digest?.update(bytes)
            case .check(let id, let digest):
                let isRight = try digest.finish() == id
                shared.withLock { $0.verdicts[id] = isRight }
            case .checkpoint, .none, .end: break
            }
        }
    }

    private func write() {
        var dirty: [ObjectID: StagedFile] = [:]
        var written: (id: ObjectID, done: Int64)?
        forEachStep(writable) { step, bytes in
            switch step {
            case .data(let file, let offset, let count, _):
                try file.file.write(bytes, at: offset)
                dirty[file.id] = file
                let end = offset + Int64(count)
                try file.file.startWriteback(offset..<end)
                if written?.id != file.id { written = (file.id, offset) }
                if let done = written?.done, end - Self.writebackDistance > done {
                    try file.file.finishWriteback(done..<(end - Self.writebackDistance))
                    written?.done = end - Self.writebackDistance
                }
            case .checkpoint(let work):
                for file in dirty.values { try file.file.syncData() }
                dirty = [:]
                try work()
            case .check, .none, .end: break
            }
        }
    }

    private func forEachStep(_ ready: DispatchSemaphore, _ body: (Step, UnsafeRawBufferPointer) throws -> Void) {
        var place = 0
        var isRunning = true
        while isRunning {
            ready.wait()
            let step = steps[place]
            var count = 0
            if case .data(_, _, let bytes, _) = step { count = bytes }
            if case .end = step { isRunning = false }
            let start = place * Self.pieceBytes
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[start..<(start + count)])
            // After a fault the rest only passes by.
            if shared.withLock({ $0.fault == nil }) {
                do { try body(step, bytes) } catch { shared.withLock { $0.fault = $0.fault ?? error } }
            }
            if left[place].value.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
                steps[place] = .none
                free.signal()
            }
            place = (place + 1) % Self.slotCount
        }
        ended.signal()
    }
}
