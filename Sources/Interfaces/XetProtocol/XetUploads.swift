import HTTPTypes
import HubCore
import Hummingbird
import Logging
import NIOCore
import Repositories
import WebCore

/// What clients send: xorbs, and shards that make files of them.
struct XetUploads: Sendable {
    private let call: XetCall

    init(_ call: XetCall) { self.call = call }

    private struct Inserted: Encodable {
        /// Always so: who sent it before is nobody else's business.
        let was_inserted: Bool
    }

    private struct Registered: Encodable {
        /// 1 for what is new, 0 for what was known.
        let result: Int
    }

    func receiveXorb(_ hash: XetHash) async throws -> Response {
        let access = try await call.access(for: .propose)
        try await call.xet.receiveXorb(hash, body: call.request.body, for: access)
        return call.answer(Inserted(was_inserted: true))
    }

    /// The first form: one answer when all is done.
    func registerShard() async throws -> Response {
        let access = try await call.access(for: .propose)
        let shard = try await call.xet.receiveShard(call.request.body, for: access)
        let isNew = try await call.xet.register(shard, for: access) { _ in }
        return call.answer(Registered(result: isNew ? 1 : 0))
    }

    /// The second form: lines of JSON while the files are checked, the last of which is the result.
    func registerShardWithProgress() async throws -> Response {
        let access = try await call.access(for: .propose)
        let shard = try await call.xet.receiveShard(call.request.body, for: access)
        let call = call
        return Response(
            status: .ok, headers: [.contentType: "application/x-ndjson", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                try await Self.register(shard, for: access, call, to: &writer)
                try await writer.finish(nil)
            })
    }

    private static func register(
        _ shard: XetShard, for access: XetAccess, _ call: XetCall, to writer: inout any ResponseBodyWriter
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (lines, source) = AsyncStream.makeStream(of: ShardLine.self, bufferingPolicy: .bufferingNewest(16))
            group.addTask {
                defer { source.finish() }
                do {
                    let isNew = try await call.xet.register(shard, for: access) { source.yield(ShardLine($0)) }
                    source.yield(.result(isNew ? 1 : 0))
                } catch {
                    source.yield(failure(error, call.context))
                }
            }
            group.addTask {
                // Clients give up on a connection that is silent for long.
                while !Task.isCancelled {
                    try await Task.sleep(for: .seconds(10))
                    source.yield(.stillThere)
                }
            }
            var last = ShardLine.validating(verified: 0, total: shard.fileCount)
            try await writer.write(last.buffer)
            for await line in lines {
                if case .stillThere = line {
                    try await writer.write(last.buffer)
                } else if line != last {
                    last = line
                    try await writer.write(line.buffer)
                }
            }
            group.cancelAll()
            // The timer ends by cancellation.
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }

    private static func failure(_ error: any Error, _ context: HubContext) -> ShardLine {
        guard let problem = XetProblemResponse.describe(error) else {
            context.logger.error("A shard could not be registered: \(error)")
            return .error("The hub failed; its log says why under request \(context.requestID).", retryable: true)
        }
        return .error(problem.message, retryable: problem.kind == .unavailable || problem.kind == .throttled)
    }
}

/// A line of the answer to a shard: `{"type":"validating","verified":1,"total":3}`.
enum ShardLine: Equatable, Sendable {
    case validating(verified: Int, total: Int)
    case committing
    case result(Int)
    case error(String, retryable: Bool)
    /// The last line once more.
    case stillThere

    init(_ progress: XetProgress) {
        switch progress {
        case .validating(let verified, let total): self = .validating(verified: verified, total: total)
        case .committing: self = .committing
        }
    }

    private struct Form: Encodable {
        let type: String
        var verified: Int?
        var total: Int?
        var stage: String?
        var result: Int?
        var message: String?
        var retryable: Bool?
    }

    var buffer: ByteBuffer {
        let form =
            switch self {
            case .validating(let verified, let total): Form(type: "validating", verified: verified, total: total)
            case .committing: Form(type: "committing", stage: "syncing")
            case .result(let result): Form(type: "result", result: result)
            case .error(let message, let retryable): Form(type: "error", message: message, retryable: retryable)
            case .stillThere: Form(type: "committing", stage: "syncing")
            }
        return ByteBuffer(bytes: HubJSON.bytes(form) + [0x0a])
    }
}
