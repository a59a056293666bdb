import HTTPTypes
import HubCore
import NIOCore
import Synchronization

@testable import HubCommands

/// A console that keeps what is written to it.
final class TestConsole: Sendable {
    private let written = Mutex(("", ""))
    private let answers: Mutex<[String]>

    init(answers: [String] = []) { self.answers = Mutex(answers) }

    var output: String { written.withLock { $0.0 } }
    var errors: String { written.withLock { $0.1 } }
    var lines: [String] { output.split(separator: "\n").map(String.init) }

    /// - Parameter width: of the terminal; `nil` is no terminal.
    func console(width: Int? = nil) -> Console {
        Console(
            output: { text in self.written.withLock { $0.0 += text } },
            errors: { text in self.written.withLock { $0.1 += text } },
            readAnswer: { self.answers.withLock { $0.isEmpty ? nil : $0.removeFirst() } },
            isOutputTerminal: width != nil,
            isErrorTerminal: width != nil, isInputTerminal: width != nil, width: width)
    }
}

/// A hub that answers each request by a closure and remembers the requests.
final class ScriptedHub: HubTransport, Sendable {
    struct Received: Sendable, Equatable {
        let line: String
        let body: String
    }

    private let received = Mutex<[Received]>([])
    private let answer: @Sendable (HubRequest) -> (status: Int, body: String)

    init(_ answer: @escaping @Sendable (HubRequest) -> (status: Int, body: String)) { self.answer = answer }

    var requests: [Received] { received.withLock { $0 } }

    func close() async throws {}

    func exchange<Value: Sendable>(
        _ request: HubRequest, _ read: @Sendable (HubResponse) async throws -> Value
    ) async throws -> Value {
        let body = Mutex(ByteBuffer())
        switch request.body {
        case .none: break
        case .bytes(let bytes): body.withLock { $0 = bytes }
        case .stream(_, let produce):
            try await produce { piece in body.withLock { _ = $0.writeImmutableBuffer(piece) } }
        }
        received.withLock {
            $0.append(
                Received(
                    line: "\(request.method.rawValue) \(request.target)", body: String(buffer: body.withLock { $0 })))
        }
        let (status, text) = answer(request)
        let pieces = Mutex([ByteBuffer(string: text)])
        return try await read(
            HubResponse(
                status: status, retryAfter: nil,
                body: ResponseReader { pieces.withLock { $0.isEmpty ? nil : $0.removeFirst() } }))
    }

    /// Runs a verb against this hub.
    func run(_ arguments: String..., on console: TestConsole = TestConsole(), width: Int? = nil) async -> Int32 {
        let session = CommandSession(console: console.console(width: width), environment: ["CSGHUB_DATA": "/"]) {
            _, _ in self
        }
        return await HubCommand.run(arguments, in: session)
    }
}
