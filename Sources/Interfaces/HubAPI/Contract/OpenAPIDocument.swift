import HTTPTypes
import HubCore

/// The OpenAPI 3.1 document of a list of routes.
package struct OpenAPIDocument: Sendable {
    package static let basePath = "/api/hub/v1"

    package let routes: [APIRoute]
    package let version: String

    package init(routes: [APIRoute], version: String) {
        self.routes = routes
        self.version = version
    }

    package var json: JSONValue {
        var paths: [String: [String: JSONValue]] = [:]
        for route in routes {
            paths[route.path, default: [:]][route.method.rawValue.lowercased()] = operation(of: route)
        }
        let information: JSONValue = [
            "title": "CSGHub appliance", "version": .string(version),
            "description": """
            The hub's own API, which its command line uses. Sign in with an access token: `Authorization: Bearer hub_…`, or \
            HTTP Basic with the token as password. Times are RFC 3339 in UTC, sizes are bytes, ids are strings; what is absent is null.
            """,
        ]
        return [
            "openapi": "3.1.0",
            "info": information,
            "servers": [["url": .string(Self.basePath)]],
            "security": [["token": []], ["password": []]],
            "paths": .object(paths.mapValues { .object($0) }),
            "components": [
                "schemas": .object(components),
                "securitySchemes": [
                    "token": ["type": "http", "scheme": "bearer"], "password": ["type": "http", "scheme": "basic"],
                ],
            ],
        ]
    }

    private var components: [String: JSONValue] {
        var schemas: [String: JSONValue] = [:]
        let contents = routes.flatMap { [$0.body?.schema, $0.answer.schema] }.compactMap { $0 } + [APIErrorBody.schema]
        for object in contents.flatMap(\.namedObjects) { schemas[object.name] = object.json }
        return schemas
    }

    private func operation(of route: APIRoute) -> JSONValue {
        var members: [String: JSONValue] = [
            "operationId": .string(route.operation),
            "summary": .string(route.summary),
            "tags": [.string(route.tag)],
            "responses": [
                String(route.status.code): answer(of: route),
                "default": [
                    "description": "The request was refused.",
                    "content": ["application/json": ["schema": APIErrorBody.schema.json]],
                ],
            ],
        ]
        let parameters = route.pathParameters.map(pathParameter) + route.query.map(queryParameter)
        if !parameters.isEmpty { members["parameters"] = .array(parameters) }
        if let body = route.body, let mediaType = body.mediaType {
            members["requestBody"] = ["required": true, "content": .object([mediaType: content(body)])]
        }
        return .object(members)
    }

    private func answer(of route: APIRoute) -> JSONValue {
        var members: [String: JSONValue] = [
            "description": .string(route.answer == .nothing ? "Done." : "What was asked for.")
        ]
        if let mediaType = route.answer.mediaType { members["content"] = .object([mediaType: content(route.answer)]) }
        return .object(members)
    }

    private func content(_ content: APIContent) -> JSONValue {
        switch content {
        case .json(let schema): ["schema": schema.json]
        // A description of one line: JSON Schema has no word for a stream of values.
        case .lines(let schema): ["schema": schema.json, "x-each-line": true]
        case .events(let schema): ["schema": schema.json, "x-each-event": true]
        case .bytes, .nothing: ["schema": ["type": "string", "format": "binary"]]
        }
    }

    private func pathParameter(_ name: String) -> JSONValue {
        let schema: JSONValue =
            name == "kind" ? Schema.words(of: RepositoryKind.self).json : Schema.text.json
        return ["name": .string(name), "in": "path", "required": true, "schema": schema]
    }

    private func queryParameter(_ parameter: APIParameter) -> JSONValue {
        [
            "name": .string(parameter.name), "in": "query", "required": false, "schema": parameter.schema.json,
            "description": .string(parameter.summary),
        ]
    }
}
