import HubCore
import Synchronization

/// Takes in one pack: bytes go to a quarantined file and are parsed, named and checked while they arrive.
///
///     let receiver = try store.makeReceiver(for: uid, existing: objects, limits: limits)
///     for try await chunk in body { try await threads.run { try receiver.append(chunk) } }
///     let pack = try await threads.run { try receiver.finish(tips: newTips) { … } }
///     let description = try await threads.run { try store.publish(pack) }
///
/// What passes is complete: all that its objects name is in it or in `existing`, nothing breaks a rule of `git fsck
/// --strict`, and it is no longer thin. All calls block. Nothing is visible to anybody before `publish`, and what is
/// not published is gone with the last reference or at the next start.
package final class PackReceiver: Sendable {
    private let work: Mutex<Work>
    private let stop = StopFlag()

    /// What is received so far.
    ///
    /// Only ever touched with the mutex held.
    private struct Work: @unchecked Sendable {
        var assembler: PackAssembler.Source?
        var failure: GitStoreError?
    }

    init(
        repository: RepositoryUID, staging: String, existing: GitObjects, limits: ReceiveLimits, threads: ReceiveThreads
    ) throws(GitStoreError) {
        let folder = try QuarantineFolder(in: staging)
        let file = try OutputFile(creating: folder.path + "/pack")
        let parser = PackParser(file: file, inspector: ObjectInspector(limits: limits, existing: existing))
        work = Mutex(
            Work(
                assembler: PackAssembler.Source(
                    repository: repository, parser: parser, file: file, folder: folder, existing: existing,
                    limits: limits, threads: threads)))
    }

    /// Takes the next bytes of the pack, in pieces of any size.
    ///
    /// - Throws: why the pack is refused; every later call throws the same.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(GitStoreError) {
        try perform { (source) throws(GitStoreError) in
            try source.parser.append(bytes)
        }
    }

    /// Whether the last byte of the pack has arrived.
    package var isComplete: Bool { work.withLock { $0.assembler?.parser.isFinished ?? false } }

    /// Checks the pack as a whole.
    ///
    /// Call once, after the last byte.
    ///
    /// - Parameters:
    ///   - tips: The new values of the refs that the push sets; each must be in the pack or in the repository.
    ///   - progress: Called from several threads, some hundred times at most for a large pack.
    package func finish(
        tips: [GitOID], progress: @escaping @Sendable (ReceiveProgress) -> Void
    ) throws(GitStoreError) -> ReceivedPack {
        try finish(tips: tips, indexWriter: PackIndexWriter(), progress: progress)
    }

    func finish(
        tips: [GitOID], indexWriter: PackIndexWriter, progress: @escaping @Sendable (ReceiveProgress) -> Void
    ) throws(GitStoreError) -> ReceivedPack {
        let pack = try perform { (source) throws(GitStoreError) in
            try source.parser.finish()
            return try PackAssembler(source, stop: stop, indexWriter: indexWriter, progress: progress).run(tips: tips)
        }
        release()
        return pack
    }

    /// Gives the push up: work in progress ends soon, and all that was received is removed.
    package func discard() {
        stop.raise()
        release()
    }

    private func release() { work.withLock { $0.assembler = nil } }

    private func perform<Value: Sendable>(
        _ body: (PackAssembler.Source) throws(GitStoreError) -> Value
    ) throws(GitStoreError) -> Value {
        try work.withLock { (work) throws(GitStoreError) -> Value in
            if let failure = work.failure { throw failure }
            try stop.check()
            guard let source = work.assembler else { throw .cancelled }
            do throws(GitStoreError) {
                return try body(source)
            } catch {
                // The disk is given back at once; the answer to the client may take long.
                work.failure = error
                work.assembler = nil
                throw error
            }
        }
    }
}

extension PackAssembler {
    /// A pack on its way in.
    struct Source {
        let repository: RepositoryUID
        let parser: PackParser
        let file: OutputFile
        let folder: QuarantineFolder
        let existing: GitObjects
        let limits: ReceiveLimits
        let threads: ReceiveThreads
    }

    init(
        _ source: Source, stop: StopFlag, indexWriter: PackIndexWriter,
        progress: @escaping @Sendable (ReceiveProgress) -> Void
    ) {
        self.init(
            repository: source.repository, parser: source.parser, file: source.file, folder: source.folder,
            existing: source.existing, limits: source.limits, threads: source.threads, stop: stop,
            indexWriter: indexWriter, progress: progress)
    }
}
