import HTTPTypes
import HubCore
import NIOCore
import Testing

@testable import HubAPI

extension TestAPI {
    /// Sends, and checks that what came has the status and the shape that the document says.
    @discardableResult
    func expect(
        _ status: Int, _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil, token: String? = nil,
        of operation: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> JSONValue {
        let answer = try await send(method, path, body, token: token)
        #expect(answer.status == status, "\(answer.text)", sourceLocation: sourceLocation)
        let route = try #require(api.routes.first { $0.operation == operation }, sourceLocation: sourceLocation)
        if answer.status < 300 { #expect(route.status.code == status, sourceLocation: sourceLocation) }
        switch answer.status < 300 ? route.answer : .json(APIErrorBody.schema) {
        case .json(let schema):
            let value = try answer.json()
            #expect(schema.complaint(about: value) == nil, "\(answer.text)", sourceLocation: sourceLocation)
            return value
        case .lines(let schema):
            let lines = try answer.lines
            for line in lines {
                #expect(schema.complaint(about: line) == nil, "\(line)", sourceLocation: sourceLocation)
            }
            return .array(lines)
        case .nothing:
            #expect(answer.bytes.readableBytes == 0, sourceLocation: sourceLocation)
            return .null
        case .bytes, .events: return .string(answer.text)
        }
    }
}
