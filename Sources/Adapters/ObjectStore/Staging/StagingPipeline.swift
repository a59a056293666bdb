import Dispatch
import HubCore
import NIOPosix
import Synchronization

/// Takes in content on three threads: one reads, one hashes, one writes, with 64 MiB between them, so that a medium is read on while the
/// store waits for its disk.
///
/// The reader asks for `room`, fills it and calls `append`; it calls `check` at the end of a content that came in order, and `checkpoint`
/// now and then. What goes wrong on another thread is thrown by its next call. Unchecked: `steps` are touched by the reader before the
/// semaphores hand them on, then by the two others until they give them back; what else is shared is in `shared`.
package final class StagingPipeline: @unchecked Sendable {
    /// Large enough that a disk is well used by one write after another.
    package static let pieceBytes = 4 << 20
    private static let placeCount = 16
    /// Open files; more are made durable at once.
    private static let maximumOpenFiles = 64

    private enum Step {
        case none
        case data(ObjectID, sizeBytes: Int64, offset: Int64, count: Int, digest: SHA256Digest?)
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

    private let area: StagingArea
    /// Not an array: threads touch different places of it at the same time.
    private let steps = UnsafeMutablePointer<Step>.allocate(capacity: placeCount)
    private let pieces = UnsafeMutableRawBufferPointer.allocate(
        byteCount: placeCount * pieceBytes, alignment: StagedFile.blockBytes)
    private let left: [Count]
    private var head = 0
    /// Whether the place at `head` is the reader's.
    private var hasPlace = false
    private let free = DispatchSemaphore(value: placeCount)
    private let hashable = DispatchSemaphore(value: 0)
    private let writable = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let shared = Mutex(Shared())

    private init(_ area: StagingArea) {
        self.area = area
        left = (0..<Self.placeCount).map { _ in Count() }
        steps.initialize(repeating: .none, count: Self.placeCount)
    }

    deinit {
        steps.deinitialize(count: Self.placeCount)
        steps.deallocate()
        pieces.deallocate()
    }

    /// Runs `read` on this thread beside the two others, which are of `store`, and waits until all is written and durable.
    /// - Returns: the verdicts that were not asked for.
    package static func run(
        on store: FileObjectStore, into area: StagingArea, _ read: (StagingPipeline) throws -> Void
    ) throws -> [ObjectID: Bool] {
        let pipeline = StagingPipeline(area)
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
        return pipeline.verdicts()
    }

    // MARK: - For the reader

    /// Memory for the next piece. What is not appended is given again.
    package func room() throws -> UnsafeMutableRawBufferPointer {
        try throwFault()
        takePlace()
        return memory(of: head)
    }

    /// Passes on bytes of a content that lie at the beginning of `room`; `digest` is fed with them where it is given. The file of the content is
    /// made with all its room when the first of them come.
    package func append(
        _ bytes: UnsafeRawBufferPointer, of id: ObjectID, sizeBytes: Int64, at offset: Int64, digest: SHA256Digest?
    ) {
        precondition(hasPlace && bytes.baseAddress == UnsafeRawPointer(memory(of: head).baseAddress), "bytes lie in room")
        put(.data(id, sizeBytes: sizeBytes, offset: offset, count: bytes.count, digest: digest))
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

    private func takePlace() {
        if !hasPlace { free.wait() }
        hasPlace = true
    }

    private func memory(of place: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: pieces[(place * Self.pieceBytes)..<((place + 1) * Self.pieceBytes)])
    }

    private func put(_ step: Step) {
        takePlace()
        steps[head] = step
        left[head].value.store(2, ordering: .releasing)
        head = (head + 1) % Self.placeCount
        hasPlace = false
        hashable.signal()
        writable.signal()
    }

    // MARK: - The two other threads

    private func hash() {
        forEachStep(hashable) { step, bytes in
            switch step {
            case .data(_, _, _, _, let digest): try digest?.update(bytes)
            case .check(let id, let digest):
                let isRight = try digest.finish() == id
                shared.withLock { $0.verdicts[id] = isRight }
            case .checkpoint, .none, .end: break
            }
        }
    }

    private func write() {
        var open: [ObjectID: StagedFile] = [:]
        func syncAll() throws {
            for file in open.values { try file.syncData() }
            open = [:]
        }
        forEachStep(writable) { step, bytes in
            switch step {
            case .data(let id, let sizeBytes, let offset, _, _):
                if open[id] == nil {
                    if open.count == Self.maximumOpenFiles { try syncAll() }
                    open[id] = try area.content(id, sizeBytes: sizeBytes)
                }
                try open[id]?.write(bytes, at: offset)
            case .checkpoint(let work):
                try syncAll()
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
            if case .data(_, _, _, let bytes, _) = step { count = bytes }
            if case .end = step { isRunning = false }
            let bytes = UnsafeRawBufferPointer(rebasing: memory(of: place)[..<count])
            // After a fault the rest only passes by.
            if shared.withLock({ $0.fault == nil }) {
                do { try body(step, bytes) } catch { shared.withLock { $0.fault = $0.fault ?? error } }
            }
            if left[place].value.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
                steps[place] = .none
                free.signal()
            }
            place = (place + 1) % Self.placeCount
        }
        ended.signal()
    }
}
