import HTTPTypes
import HubCore
import Testing

@testable import HubAPI

@Suite("The OpenAPI document")
struct OpenAPITests {
    @Test("is served, and names exactly the routes that the router has")
    func routes() async throws {
        let test = try TestAPI()
        let answer = try await test.send(.get, "/openapi.json", anonymously: true)
        #expect(answer.status == 200)
        let document = try answer.json()
        #expect(document["openapi"] == "3.1.0")
        var documented: Set<String> = []
        for (path, operations) in document["paths"]?.members ?? [:] {
            for method in operations.members?.keys ?? [:].keys { documented.insert("\(method.uppercased()) \(path)") }
        }
        let routed = Set(test.api.routes.map { "\($0.method.rawValue) \($0.path)" })
        #expect(documented == routed)
        #expect(routed.count == test.api.routes.count && routed.count > 40)
    }

    @Test("every route answers: none is shadowed by another")
    func reachable() async throws {
        let test = try TestAPI()
        for route in test.api.routes {
            // A parameter that no route has: only the route's own check refuses it with these words.
            let path = route.path.replacing("{kind}", with: "model").replacing("{", with: "x").replacing("}", with: "")
            let answer = try await test.send(route.method, path + "?unknown=1")
            #expect(answer.code == "unknown_parameter", "\(route.method) \(route.path): \(answer.text)")
            #expect(answer.text.contains(route.query.first.map { ": \($0.name)" } ?? "takes none"), "\(route.path)")
        }
    }

    @Test("operations have unique names, summaries and a description of each parameter of the path")
    func operations() async throws {
        let test = try TestAPI()
        #expect(Set(test.api.routes.map(\.operation)).count == test.api.routes.count)
        let document = try await test.send(.get, "/openapi.json").json()
        for route in test.api.routes {
            let operation = document["paths"]?[route.path]?[route.method.rawValue.lowercased()]
            #expect(operation?["summary"]?.string?.hasSuffix(".") == true, "\(route.path)")
            let names = operation?["parameters"]?.elements?.compactMap { $0["name"]?.string } ?? []
            #expect(names == route.pathParameters + route.query.map(\.name), "\(route.path)")
        }
    }

    @Test("every schema that is referred to is there, and every one that is there is referred to")
    func references() async throws {
        let test = try TestAPI()
        let document = try await test.send(.get, "/openapi.json").json()
        var references: Set<String> = []
        Self.collect(from: document, &references)
        let components = Set((document["components"]?["schemas"]?.members ?? [:]).keys)
        #expect(references == components)
    }

    @Test("one name is one shape")
    func names() async throws {
        let test = try TestAPI()
        var shapes: [String: ObjectSchema] = [:]
        for object in test.api.routes.flatMap({ [$0.body?.schema, $0.answer.schema] }).compactMap({ $0 }).flatMap(
            \.namedObjects)
        {
            #expect(shapes[object.name] == nil || shapes[object.name] == object, "\(object.name)")
            shapes[object.name] = object
        }
    }

    private static func collect(from value: JSONValue, _ references: inout Set<String>) {
        switch value {
        case .object(let members):
            if let reference = members["$ref"]?.string {
                references.insert(String(reference.split(separator: "/").last ?? ""))
            }
            for member in members.values { collect(from: member, &references) }
        case .array(let elements): for element in elements { collect(from: element, &references) }
        default: break
        }
    }
}
