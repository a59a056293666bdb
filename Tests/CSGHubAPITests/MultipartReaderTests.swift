import HTTPTypes
import HubCore
import Hummingbird
import NIOCore
import Testing

@testable import CSGHubAPI

@Suite("Forms with a file")
struct MultipartReaderTests {
    private func request(_ body: String, pieces: Int = 7, type: String = "multipart/form-data; boundary=x") -> Request {
        var head = HTTPRequest(method: .post, scheme: "http", authority: "hub.test", path: "/")
        head.headerFields[.contentType] = type
        let stream = AsyncStream<ByteBuffer> { stream in
            var rest = ByteBuffer(string: body)
            while let piece = rest.readSlice(length: min(rest.readableBytes, pieces)), piece.readableBytes > 0 { stream.yield(piece) }
            stream.finish()
        }
        return Request(head: head, body: RequestBody(asyncSequence: stream))
    }

    private func parts(_ request: Request) async throws -> [String: String] {
        let reader = try MultipartReader(request)
        var found: [String: String] = [:]
        while let part = try await reader.nextPart() { found[part.name] = try await reader.text(limit: 1000) }
        return found
    }

    private let form =
        "--x\r\nContent-Disposition: form-data; name=\"branch\"\r\n\r\nmain\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; "
        + "filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nline\r\n--y\r\nend\r\n--x\r\n"
        + "Content-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--x--\r\nafter"

    @Test("gives the parts however the body is cut", arguments: [1, 2, 3, 5, 16, 64, 1000])
    func parts(_ pieces: Int) async throws {
        #expect(try await parts(request(form, pieces: pieces)) == ["branch": "main", "file": "line\r\n--y\r\nend", "empty": ""])
    }

    @Test("skips what is not read of a part")
    func skips() async throws {
        let reader = try MultipartReader(request(form))
        var names: [String] = []
        while let part = try await reader.nextPart() { names.append(part.name) }
        #expect(names == ["branch", "file", "empty"])
    }

    @Test("refuses a body that ends early", arguments: 1..<60)
    func truncated(_ missing: Int) async throws {
        let short = String(form.dropLast("\r\nafter".count + missing))
        await #expect(throws: CSGHubError.self) { try await parts(request(short)) }
    }

    @Test("refuses other types and boundaries", arguments: ["text/plain", "multipart/form-data", "multipart/form-data; boundary="])
    func types(_ type: String) async {
        #expect(throws: CSGHubError.self) { try MultipartReader(request(form, type: type)) }
    }

    @Test("refuses headers and fields without end")
    func bounds() async throws {
        let long = String(repeating: "a", count: 40_000)
        await #expect(throws: CSGHubError.self) { try await parts(request("--x\r\n" + long + "\r\n\r\nb\r\n--x--", pieces: 4096)) }
        let field = "--x\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n\(long)\r\n--x--"
        await #expect(throws: CSGHubError.self) { try await parts(request(field, pieces: 4096)) }
        let many = String(repeating: "--x\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\na\r\n", count: 200) + "--x--"
        await #expect(throws: CSGHubError.self) { try await parts(request(many, pieces: 4096)) }
    }
}
