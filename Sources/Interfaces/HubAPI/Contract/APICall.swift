import FoundationEssentials
import HTTPTypes
import HubCore
import Hummingbird
import Identity
import Logging
import NIOCore
import WebCore

/// One request of the API with its caller: what the routes read from.
struct APICall: Sendable {
    static let maximumLimit = 1000
    static let defaultLimit = 100

    let request: Request
    let context: HubContext
    let principal: Principal

    // MARK: - What was asked

    /// A part of the path that the route's pattern names.
    func path(_ name: String) throws -> String { try context.parameters.require(name) }

    func query(_ name: String) -> String? { request.uri.queryParameters[name[...]].map(String.init) }

    /// A query parameter whose presence, empty, `1` or `true`, means yes.
    func flag(_ name: String) -> Bool {
        guard let value = query(name) else { return false }
        return ["", "1", "true", "yes"].contains(value)
    }

    var limit: Int { query("limit").flatMap { Int($0) } ?? Self.defaultLimit }

    var cursor: String? { query("cursor") }

    /// The name of an account or organization that the path holds.
    func name(_ parameter: String) throws -> NamespaceName { try NamespaceName(parsing: path(parameter)) }

    func identifier<Subject>(_ name: String) throws -> Identifier<Subject> {
        guard let number = Int64(try path(name)), number > 0 else {
            throw ProblemError(.missing, code: "not_found", "There is nothing with this id.")
        }
        return Identifier(number)
    }

    /// The repository that the path names as `…/{kind}/{namespace}/{name}`.
    func repositoryReference() throws -> RepositoryReference {
        guard let kind = RepositoryKind(parsing: try path("kind")) else {
            throw NameError.invalidRepositoryReference(try path("kind"))
        }
        let owner = NamespaceName(trusted: try path("namespace"))
        return RepositoryReference(kind: kind, name: try RepositoryName(owner: owner, name: path("name")))
    }

    func collectBody(upTo limit: Int) async throws -> ByteBuffer {
        do {
            return try await request.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw ProblemError(.tooLarge, code: "body_too_large", "The body is larger than \(limit) bytes.")
        }
    }

    /// Refuses changes that a page of another site asks a browser to make. A browser may send the password that somebody typed for
    /// the hub; it always says in `Origin` whose page asks. Programs send no `Origin`.
    func checkOrigin() throws {
        guard request.method != .get, request.method != .head, let origin = request.headers[.origin] else { return }
        guard let asking = RequestOrigin(parsing: origin), let own = request.head.authority,
            asking == RequestOrigin(scheme: asking.scheme, host: own)
        else {
            throw ProblemError(.forbidden, code: "foreign_origin", "Pages of other sites may not change anything here.")
        }
    }

    /// Refuses query parameters that the route does not have, and values that do not fit.
    func checkQuery(of route: APIRoute) throws {
        for (name, value) in request.uri.queryParameters {
            guard let parameter = route.query.first(where: { $0.name == name }) else {
                let known = route.query.map(\.name).joined(separator: ", ")
                throw ProblemError(
                    .invalid, code: "unknown_parameter",
                    "“\(String(name).shortened)” is no parameter of this address."
                        + (known.isEmpty ? " It takes none." : " It takes: \(known)."))
            }
            let json: JSONValue =
                switch parameter.schema {
                case .integer: Int64(value).map { .integer($0) } ?? .string(String(value))
                case .boolean: .bool(true)
                default: .string(String(value))
                }
            if let complaint = parameter.schema.complaint(about: json, at: parameter.name) {
                throw ProblemError(.invalid, code: "invalid_parameter", complaint)
            }
        }
    }

    // MARK: - What is answered

    func json(_ model: some APIModel, status: HTTPResponse.Status) throws -> Response {
        let bytes = try JSONForm.encode(model)
        return Response(
            status: status,
            headers: [.contentType: "application/json; charset=utf-8", .contentLength: String(bytes.readableBytes)],
            body: ResponseBody(byteBuffer: bytes))
    }

    /// Who asks and from where, for rights and the audit log.
    var caller: Caller {
        if case .localAdministrator = principal { return Caller(principal) }
        return Caller(principal, address: context.remoteAddress)
    }

    /// The error as a line of a stream, logged when it is a fault of the hub.
    func errorBody(for error: any Error) -> APIErrorBody {
        guard let problem = Problem.describing(error) else {
            context.logger.error("A request failed while it was being answered: \(error)")
            return APIErrorBody(
                error: APIErrorBody.Detail(
                    code: "internal_error", message: "The hub failed to finish its answer; its log says why.",
                    requestId: context.requestID))
        }
        return APIErrorBody(
            error: APIErrorBody.Detail(code: problem.code, message: problem.message, requestId: context.requestID))
    }
}

/// `{"error": {"code": "head_moved", "message": "…", "request_id": "…"}}`
package struct APIErrorBody: APIModel {
    package struct Detail: Codable, Sendable {
        package let code: String
        package let message: String
        @OrNull package var requestId: String? = nil
    }

    package let error: Detail

    static var detailSchema: Schema {
        .object(
            "ErrorDetail", "",
            [
                .required("code", .text, "Stable, for programs."),
                .required("message", .text, "For people; says what to do."),
                .required("request_id", .nullable(.text), "Finds the request in the hub's log."),
            ])
    }

    package static var schema: Schema {
        .object("Error", "Why a request was refused.", [.required("error", detailSchema, "")])
    }
}
