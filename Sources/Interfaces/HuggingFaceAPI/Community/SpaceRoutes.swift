import Community
import HTTPTypes
import HubCore
import Hummingbird
import Identity
import MetadataStore
import WebCore

/// Variables, secrets and runtime records of spaces. hf-hub-api §11.
package struct SpaceRoutes: Sendable {
    private let community: Community

    package init(community: Community) { self.community = community }

    private static let one = "/api/spaces/{repo}"

    var all: [HubRoute] {
        [
            HubRoute(.get, "/api/spaces/hardware") { call in call.answer([]) },
            HubRoute(.get, "/api/spaces/templates") { call in call.answer(["templates": []]) },
            HubRoute(.get, Self.one + "/secrets") { try await list(secrets: true, $0) },
            HubRoute(.post, Self.one + "/secrets") { try await set(isSecret: true, $0) },
            HubRoute(.delete, Self.one + "/secrets") { try await delete(isSecret: true, $0) },
            HubRoute(.get, Self.one + "/variables") { try await list(secrets: false, $0) },
            HubRoute(.post, Self.one + "/variables") { try await set(isSecret: false, $0) },
            HubRoute(.delete, Self.one + "/variables") { try await delete(isSecret: false, $0) },
            HubRoute(.get, Self.one + "/runtime") { try await runtime($0) },
            HubRoute(.post, Self.one + "/pause") { try await change("pause", $0) { $0.isPaused = true } },
            HubRoute(.post, Self.one + "/restart") { try await change("restart", $0) { $0.isPaused = false } },
            HubRoute(.post, Self.one + "/hardware") { try await setHardware($0) },
            HubRoute(.post, Self.one + "/sleeptime") { try await setSleepTime($0) },
            HubRoute(.post, Self.one + "/dev-mode") { try await setDevMode($0) },
            HubRoute(.put, Self.one + "/volumes") { try await setVolumes($0) },
            HubRoute(.delete, Self.one + "/volumes") { try await deleteVolumes($0) },
            HubRoute(.get, Self.one + "/logs/{log}") { try await logs($0) },
        ]
    }

    private func space(_ call: HubCall) async throws -> Repository {
        let reference = try await call.reference()
        let space = RepositoryReference(kind: .space, name: reference.name)
        return try await call.services.identity.repository(space, for: .read, by: call.principal)
    }

    // MARK: Variables and secrets

    private func list(secrets: Bool, _ call: HubCall) async throws -> Response {
        let space = try await space(call)
        let variables =
            secrets
            ? try await community.spaces.secrets(of: space, by: call.principal)
            : try await community.spaces.variables(of: space, by: call.principal)
        return call.answer(Self.json(variables, secrets: secrets))
    }

    private static func json(_ variables: [SpaceVariable], secrets: Bool) -> JSON {
        .object(
            variables.map { variable in
                var members = [JSONMember("key", .string(variable.key))]
                if !secrets { members.append(JSONMember("value", .string(String(decoding: variable.value, as: UTF8.self)))) }
                members.append(JSONMember("description", JSON(variable.description)))
                members.append(JSONMember("updatedAt", JSON(variable.updatedAt)))
                return JSONMember(variable.key, .object(members))
            })
    }

    private struct Variable: Decodable {
        let key: String
        let value: String?
        let description: String?
    }

    private func set(isSecret: Bool, _ call: HubCall) async throws -> Response {
        let form = try await call.json(Variable.self)
        let space = try await space(call)
        try await community.spaces.set(
            form.key, value: form.value ?? "", description: form.description, isSecret: isSecret, of: space, by: call.caller)
        return try await list(secrets: isSecret, call)
    }

    private func delete(isSecret: Bool, _ call: HubCall) async throws -> Response {
        let form = try await call.json(Variable.self)
        let space = try await space(call)
        try await community.spaces.delete(form.key, isSecret: isSecret, of: space, by: call.caller)
        return try await list(secrets: isSecret, call)
    }

    /// What a new space was given when it was made.
    package func setUp(_ space: Repository, _ form: CreationForm, _ call: HubCall) async throws {
        guard space.kind == .space else { return }
        for (variables, isSecret) in [(form.variables ?? [], false), (form.secrets ?? [], true)] {
            for variable in variables.prefix(MetadataStore.maximumSpaceVariables) {
                try await community.spaces.set(
                    variable.key, value: variable.value ?? "", description: variable.description, isSecret: isSecret, of: space,
                    by: call.caller)
            }
        }
        guard let hardware = form.hardware else { return }
        _ = try await community.spaces.changeRuntime(of: space, "hardware", by: call.caller) { $0.hardware = hardware }
    }

    // MARK: The runtime

    private func runtime(_ call: HubCall) async throws -> Response {
        let space = try await space(call)
        return call.answer(Self.json(try await community.spaces.runtime(of: space, by: call.principal)))
    }

    private func change(
        _ action: String, _ call: HubCall, _ change: (inout SpaceRuntimeRecord) -> Void
    ) async throws -> Response {
        let space = try await space(call)
        return call.answer(
            Self.json(try await community.spaces.changeRuntime(of: space, action, by: call.caller, change)))
    }

    private static func json(_ runtime: SpaceRuntime) -> JSON {
        let record = runtime.record
        return [
            "stage": .string(runtime.stage.rawValue), "errorMessage": .string(runtime.message),
            "hardware": ["current": .null, "requested": JSON(record.hardware)], "storage": .null,
            "gcTimeout": record.sleepSeconds.map { JSON($0) } ?? .null, "devMode": .bool(record.isInDevMode),
            "replicas": ["current": 0, "requested": 0], "volumes": JSON(record.volumes),
        ]
    }

    private struct Hardware: Decodable {
        let flavor: String
        let sleepTimeSeconds: Int?
    }

    private func setHardware(_ call: HubCall) async throws -> Response {
        let form = try await call.json(Hardware.self)
        return try await change("hardware", call) { record in
            record.hardware = form.flavor
            if let seconds = form.sleepTimeSeconds { record.sleepSeconds = seconds }
        }
    }

    private struct SleepTime: Decodable {
        let seconds: Int
    }

    private func setSleepTime(_ call: HubCall) async throws -> Response {
        let form = try await call.json(SleepTime.self)
        return try await change("sleep-time", call) { $0.sleepSeconds = form.seconds }
    }

    private struct DevMode: Decodable {
        let enabled: Bool
    }

    private func setDevMode(_ call: HubCall) async throws -> Response {
        let form = try await call.json(DevMode.self)
        return try await change("dev-mode", call) { $0.isInDevMode = form.enabled }
    }

    private struct Volumes: Decodable {
        struct Volume: Decodable {
            let type: String
            let source: String
            let mountPath: String
            let revision: String?
            let readOnly: Bool?
            let path: String?

            var json: JSON {
                .object(
                    [
                        JSONMember("type", .string(type)), JSONMember("source", .string(source)),
                        JSONMember("mountPath", .string(mountPath)), revision.map { JSONMember("revision", .string($0)) },
                        readOnly.map { JSONMember("readOnly", .bool($0)) }, path.map { JSONMember("path", .string($0)) },
                    ].compactMap { $0 })
            }
        }

        let volumes: [Volume]
    }

    private func setVolumes(_ call: HubCall) async throws -> Response {
        let form = try await call.json(Volumes.self)
        let volumes = JSONText(.array(form.volumes.map(\.json)))
        return try await change("volumes", call) { $0.volumes = volumes }
    }

    private func deleteVolumes(_ call: HubCall) async throws -> Response {
        let space = try await space(call)
        guard try await community.spaces.runtime(of: space, by: call.principal).record.volumes != nil else {
            throw SpaceError.noVolumes
        }
        return try await change("delete-volumes", call) { $0.volumes = nil }
    }

    /// Server-sent events of an app that does not run: none.
    private func logs(_ call: HubCall) async throws -> Response {
        guard ["run", "build"].contains(call.value("log")) else { throw HubAPIError.noSuchAddress }
        try await call.services.identity.require(.configure, on: try await space(call), by: call.principal)
        return Response(status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store", .contentLength: "0"])
    }
}
