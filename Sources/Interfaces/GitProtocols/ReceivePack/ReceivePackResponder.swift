import Community
import GitStore
import HubCore
import Hummingbird
import Identity
import NIOCore
import Repositories
import Synchronization

/// Answers `POST …/git-receive-pack`. Source: *git `gitprotocol-pack(5)`*, "Pushing Data To a Server".
struct ReceivePackResponder: Sendable {
    /// Pack bytes gathered before they go to git's threads.
    static let pieceBytes = 1 << 20
    /// Commands and push options together may have this many bytes.
    static let maximumCommandBytes = 16 << 20

    let git: GitService
    let pullRequests: PullRequests

    func respond(
        body: GitRequestBody, repository: Repository, caller: Caller, fairKey: String
    ) async throws -> ResponseBody {
        var body = body
        guard let request = try await readCommands(&body), !request.commands.isEmpty else { return ResponseBody() }
        let snapshot = try await git.snapshot(of: repository)
        let commands = request.commands.map { PushCommand(name: $0.name, old: $0.old, new: $0.new) }
        let objections = try await pullRequests.objections(to: commands, in: repository, by: caller.principal)
        let received: Result<PackReceiver?, any Error>
        do {
            // What sets no ref is not stored, but read, so that git gets to read why.
            let isRefused = commands.allSatisfy { objections[$0.name] != nil }
            if isRefused { while try await body.next() != nil {} }
            received = .success(request.sendsPack && !isRefused ? try await receivePack(&body, snapshot: snapshot) : nil)
        } catch let refusal as any Refusal {
            // The rest is read and dropped, so that git gets to read why.
            while try await body.next() != nil {}
            received = .failure(refusal)
        }
        let push = ReceivedPush(
            request: request, commands: commands, objections: objections, snapshot: snapshot, caller: caller, git: git,
            fairKey: fairKey)
        return ResponseBody { writer in
            var report = ReceiveReport(request: request)
            do {
                try await push.run(try received.get(), report: &report, writer: &writer)
            } catch let refusal as any Refusal {
                report.unpackFailed(refusal.problem.message)
            }
            try await writer.write(report.bytes())
            try await writer.finish(nil)
        }
    }

    /// `nil` when the body is just a flush: git's probe before a chunked push.
    private func readCommands(_ body: inout GitRequestBody) async throws -> ReceivePackRequest? {
        var request = ReceivePackRequest()
        var total = 0
        while !request.isComplete {
            guard let line = try await body.nextPacket() else {
                guard request.commands.isEmpty, total == 0 else { throw ReceivePackError.endsEarly }
                return nil
            }
            if case .data(let payload) = line { total += payload.readableBytes }
            guard total <= Self.maximumCommandBytes else { throw PktLineError.tooMany(limit: Self.maximumCommandBytes) }
            try request.read(line)
        }
        return request
    }

    /// Streams the pack into quarantine, one piece being indexed while the next is gathered.
    private func receivePack(_ body: inout GitRequestBody, snapshot: GitSnapshot) async throws -> PackReceiver {
        let receiver = try await git.makeReceiver(for: snapshot)
        do {
            var piece = body.takeRemainder()
            var isAtEnd = false
            while !isAtEnd {
                while piece.readableBytes < Self.pieceBytes {
                    guard var next = try await body.next() else {
                        isAtEnd = true
                        break
                    }
                    piece.writeBuffer(&next)
                }
                let full = piece
                piece = ByteBuffer()
                try await git.threads.run { try full.withUnsafeReadableBytes { try receiver.append($0) } }
            }
            return receiver
        } catch {
            receiver.discard()
            throw error
        }
    }
}

/// A push whose bytes have arrived: the pack is checked, the refs are moved, the client is told.
private struct ReceivedPush: Sendable {
    let request: ReceivePackRequest
    let commands: [PushCommand]
    let objections: [String: String]
    let snapshot: GitSnapshot
    let caller: Caller
    let git: GitService
    let fairKey: String

    func run(_ receiver: PackReceiver?, report: inout ReceiveReport, writer: inout any ResponseBodyWriter) async throws {
        var pack: ReceivedPack?
        if let receiver {
            pack = try await finish(receiver, tips: commands.compactMap(\.new), writer: &writer)
        }
        let outcome = try await git.push(
            commands, pack: pack, snapshot: snapshot, isAtomic: request.isAtomic, objections: objections, by: caller)
        report.set(outcome)
    }

    /// Checks the pack, showing progress on band 2 or at least a sign of life every five seconds.
    private func finish(
        _ receiver: PackReceiver, tips: [GitOID], writer: inout any ResponseBodyWriter
    ) async throws -> ReceivedPack {
        guard request.usesSideBand else {
            return try await git.finish(receiver, tips: tips, fairKey: fairKey) { _ in }
        }
        let (events, continuation) = AsyncStream.makeStream(of: ReceiveProgress?.self, bufferingPolicy: .bufferingNewest(1))
        let isQuiet = request.capabilities.contains("quiet")
        // Ends by cancellation when this function returns.
        async let _: Void = Self.tick(continuation)
        async let pack: ReceivedPack = Self.finishing(continuation) { [git, fairKey] in
            try await git.finish(receiver, tips: tips, fairKey: fairKey) { continuation.yield($0) }
        }
        for await event in events {
            var packet = ByteBuffer()
            if let event, !isQuiet {
                packet.writeSideBand(2, event.text)
            } else {
                packet.writeString("0005\u{1}")
            }
            try await writer.write(packet)
        }
        return try await pack
    }

    private static func finishing(
        _ continuation: AsyncStream<ReceiveProgress?>.Continuation, _ work: @Sendable () async throws -> ReceivedPack
    ) async throws -> ReceivedPack {
        defer { continuation.finish() }
        return try await work()
    }

    /// A keep-alive every five seconds until the stream ends.
    private static func tick(_ continuation: AsyncStream<ReceiveProgress?>.Continuation) async throws {
        while true {
            try await Task.sleep(for: .seconds(5))
            if case .terminated = continuation.yield(nil) { return }
        }
    }
}
