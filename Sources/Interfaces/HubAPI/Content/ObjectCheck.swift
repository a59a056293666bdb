import HubCore
import MetadataStore
import NIOCore
import ObjectStore
import Synchronization

/// Goes through all objects, and then all xorbs, that the database names and compares them with what is stored.
///
/// What objects are made of was read with them; of a xorb that no object uses, all is read then.
struct ObjectCheck: Sendable {
    let store: MetadataStore
    let objects: FileObjectStore
    /// Hash every byte; else only presence and size.
    let readsAll: Bool

    private struct Counts {
        var objects: Int64 = 0
        var bytes: Int64 = 0
        var problems: Int64 = 0
        var xorbs: Int64 = 0
    }

    private typealias Finding = (ObjectCheckLine.Defect, String)

    var lines: LineStream<ObjectCheckLine> {
        LineStream { send in
            var counts = Counts()
            var lastLine = ContinuousClock.now
            var cursor: String?
            repeat {
                let page = try await store.storedObjects(after: cursor)
                for record in page.items {
                    try Task.checkCancellation()
                    let found = try await check(record) { bytes in
                        counts.bytes += bytes
                        guard ContinuousClock.now - lastLine > .milliseconds(200) else { return }
                        lastLine = ContinuousClock.now
                        try await send(line(.progress, counts))
                    }
                    counts.objects += 1
                    if let found {
                        counts.problems += 1
                        try await send(line(.problem, counts, record.oid, found))
                    }
                }
                cursor = page.next
            } while cursor != nil
            var last: XetHash?
            repeat {
                let page = try await store.recordedXorbs(after: last)
                for record in page {
                    try Task.checkCancellation()
                    let found = try await check(record) { bytes in
                        counts.bytes += bytes
                        guard ContinuousClock.now - lastLine > .milliseconds(200) else { return }
                        lastLine = ContinuousClock.now
                        try await send(line(.progress, counts))
                    }
                    counts.xorbs += 1
                    if let found {
                        counts.problems += 1
                        try await send(line(.problem, counts, xorb: record.hash, found))
                    }
                }
                last = page.last?.hash
            } while last != nil
            try await send(line(.summary, counts))
        }
    }

    /// What is wrong with an object, or `nil`. `progress` is called between pieces, so that a large object does not look stuck.
    private func check(
        _ record: StoredObjectRecord, progress: (Int64) async throws -> Void
    ) async throws -> Finding? {
        do {
            guard let stored = try await objects.stat(record.oid) else {
                return (
                    .missing,
                    "The file is gone. Restore it from a backup, or upload it again with “git lfs push --all”."
                )
            }
            guard stored.sizeBytes == record.sizeBytes else {
                return (
                    .size, "The file has \(stored.sizeBytes) bytes, not \(record.sizeBytes). Restore it from a backup."
                )
            }
            if readsAll { try await hash(record.oid, progress: progress) }
            return nil
        } catch ObjectStoreError.damaged {
            return (
                .damaged,
                "The bytes are not those that were stored: the disk or its memory is failing. Restore it from a backup."
            )
        } catch let error where !(error is CancellationError) && !(error is ChannelError) && !(error is IOError) {
            return (.unreadable, "The file cannot be read; look in the system's log for errors of the disk.")
        }
    }

    /// What is wrong with a xorb; `nil` if nothing is.
    private func check(_ record: RecordedXorb, progress: (Int64) async throws -> Void) async throws -> Finding? {
        let remedy =
            record.isUsed
            ? "Objects are made of it: restore its file from a backup, or upload them again."
            : "No object is made of it; delete its file under objects/xorbs, and clients that have it send it again."
        do {
            guard let stored = try await objects.statXorb(record.hash) else {
                return (.missing, "The file of the xorb is gone. " + remedy)
            }
            guard stored.rawBytes == record.rawBytes else {
                return (.size, "The xorb has \(stored.rawBytes) bytes, not \(record.rawBytes). " + remedy)
            }
            if readsAll, !record.isUsed {
                try await run(progress) { try await objects.verifyXorb(record.hash, progress: $0) }
            } else {
                try await objects.verifyXorbTable(record.hash)
            }
            return nil
        } catch XetStoreError.damagedXorb, XetStoreError.missingXorb, ObjectStoreError.damaged {
            return (.damaged, "The xorb is not what was stored: the disk or its memory is failing. " + remedy)
        } catch let error where !(error is CancellationError) && !(error is ChannelError) && !(error is IOError) {
            return (.unreadable, "The xorb cannot be read; look in the system's log for errors of the disk.")
        }
    }

    private func hash(_ oid: ObjectID, progress: (Int64) async throws -> Void) async throws {
        try await run(progress) { try await objects.verify(oid, progress: $0) }
    }

    private func run(
        _ progress: (Int64) async throws -> Void,
        _ verify: @escaping @Sendable (@escaping @Sendable (Int64) -> Void) async throws -> Void
    ) async throws {
        let (steps, feed) = AsyncStream.makeStream(of: Int64.self)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { feed.finish() }
                try await verify { feed.yield($0) }
            }
            for await bytes in steps { try await progress(bytes) }
            try await tasks.waitForAll()
        }
    }

    private func line(
        _ event: ObjectCheckLine.Event, _ counts: Counts, _ oid: ObjectID? = nil, xorb: XetHash? = nil,
        _ found: Finding? = nil
    ) -> ObjectCheckLine {
        ObjectCheckLine(
            event: event, checkedObjects: counts.objects, checkedBytes: counts.bytes, problemObjects: counts.problems,
            checkedXorbs: counts.xorbs, oid: oid?.hex, xorb: xorb?.hex, defect: found?.0, message: found?.1)
    }
}
