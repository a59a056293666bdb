import Bundles
import FoundationEssentials
import HTTPTypes
import HubCore
import Hummingbird
import Identity
import MetadataStore
import NIOCore
import WebCore

/// Imports of offline bundles: what is on the media, what an import would do, the import itself, and what became of it.
struct ImportRoutes {
    let services: APIServices

    private static let path = "/imports/{bundle}"
    private static let offset = APIParameter("offset", .count, "Where the body's first byte belongs; 0 unless told.")

    var routes: [APIRoute] { listing + running + deciding + sending }

    private var listing: [APIRoute] {
        [
            .answering(
                .get, "/imports", "listImports", "Lists the bundles that were let in, the newest first.",
                query: APIParameter.paging + [APIParameter("state", .words(of: ImportState.self), "Only these.")]
            ) { [services] call in
                try await services.identity.requireSite(.approveImports, by: call.principal)
                let states = Set(call.query("state").flatMap { ImportState(rawValue: $0) }.map { [$0] } ?? [])
                let page = try await services.store.imports(in: states, after: call.cursor, limit: call.limit)
                return ListPage(
                    items: page.items.map { ImportModel($0, progress: services.imports.board.latest(of: $0.bundle)) },
                    next: page.next)
            },
            .answering(
                .get, "/imports/media", "listImportMedia",
                "Lists the bundles on media that are mounted below the import directories."
            ) { [services] call in
                ListPage(
                    items: try await services.imports.media(by: call.caller).map {
                        ImportMediumModel(path: $0.path, bundle: $0.bundle, state: $0.state?.rawValue)
                    }, next: nil)
            },
            .answering(.get, "/imports/streams", "listImportStreams", "Lists the last published bundle of each stream.")
            { [services] call in
                try await services.identity.requireSite(.approveImports, by: call.principal)
                return ListPage(
                    items: try await services.store.importedStreams().map(ImportStreamModel.init), next: nil)
            },
            .answering(.get, Self.path, "getImport", "Returns an import.") { [services] call in
                try await services.identity.requireSite(.approveImports, by: call.principal)
                let record = try await services.store.importRecord(call.path("bundle"))
                guard let record else { throw MetadataError.importNotFound }
                return ImportModel(record, progress: services.imports.board.latest(of: record.bundle))
            },
            file(Self.path + "/receipt", "getImportReceipt", "Returns the signed receipt of a published bundle.") {
                [services] call in
                Array(try await services.imports.receipt(of: call.path("bundle")).utf8)
            },
            file(
                Self.path + "/request", "getImportRequest",
                "Returns the small file that asks the publisher for what a parked import presumes."
            ) { [services] call in
                guard let bytes = try await services.imports.request(of: call.path("bundle")) else {
                    throw ProblemError(
                        .missing, code: "no_request", "This import waits for nothing, so there is nothing to ask for.")
                }
                return bytes
            },
        ]
    }

    private var running: [APIRoute] {
        [
            .taking(
                .post, "/imports/preflight", "preflightImport",
                "Tells what an import would do and need; copies nothing."
            ) {
                [services] (call: APICall, order: ImportOrderModel) in
                let found = try await services.imports.preflight(order.options, chosen: order.chosen, by: call.caller)
                return PreflightListModel(bundles: found.map(PreflightModel.init))
            },
            .taking(
                .post, "/imports", "startImport",
                "Starts an import and answers with what it will do; it goes on by itself.",
                status: .accepted
            ) { [services] (call: APICall, order: ImportOrderModel) in
                guard services.site.isServing else {
                    throw ProblemError(
                        .unavailable, code: "not_serving",
                        "No hub is running that could go on with it; use /imports/run.")
                }
                let found = try await services.imports.preflight(order.options, chosen: order.chosen, by: call.caller)
                for one in found { if let obstacle = one.obstacle { throw obstacle } }
                try services.importQueue.add(order.options, chosen: order.chosen, by: call.caller)
                return PreflightListModel(bundles: found.map(PreflightModel.init))
            },
            APIRoute(
                method: .post, path: "/imports/run", operation: "runImport",
                summary:
                    "Imports while the request lasts, and tells each step in a line. When the client goes away, the import pauses.",
                query: [], body: .json(ImportOrderModel.schema), answer: .lines(ImportEventModel.schema), status: .ok
            ) { [services] call in
                let order = try JSONForm.decodeChecked(
                    ImportOrderModel.self, from: await call.collectBody(upTo: APIRoute.maximumBodyBytes))
                return Self.lines(services) {
                    try await services.imports.run(order.options, chosen: order.chosen, by: call.caller)
                }
                .response(for: call)
            },
            APIRoute(
                method: .post, path: Self.path + "/resume", operation: "resumeImport",
                summary:
                    "Goes on with an import as `/imports/run` does, from the media that it was given before or from others.",
                query: [], body: .json(ImportOrderModel.schema), answer: .lines(ImportEventModel.schema), status: .ok
            ) { [services] call in
                let order = try JSONForm.decodeChecked(
                    ImportOrderModel.self, from: await call.collectBody(upTo: APIRoute.maximumBodyBytes))
                let bundle = try call.path("bundle")
                return Self.lines(services) {
                    try await services.imports.resume(bundle, paths: order.paths, by: call.caller)
                }
                .response(for: call)
            },
            APIRoute(
                method: .get, path: Self.path + "/events", operation: "watchImport",
                summary: "Tells the steps of a run under way as server-sent events, and ends with it.", query: [],
                body: nil,
                answer: .events(ImportEventModel.schema), status: .ok
            ) { [services] call in
                try await services.identity.requireSite(.approveImports, by: call.principal)
                return Self.events(services.imports.board.listen(to: try call.path("bundle")))
            },
        ]
    }

    private var deciding: [APIRoute] {
        [
            .answering(
                .post, Self.path + "/publish", "publishImport", "Publishes an import that waits for an administrator."
            ) { [services] call in
                let outcome = try await services.imports.publish(call.path("bundle"), by: call.caller)
                if let failure = outcome.failure { throw failure }
                guard let record = outcome.record else { throw MetadataError.importNotFound }
                return ImportModel(record)
            },
            .answering(
                .post, Self.path + "/publish-complete", "publishCompleteRepositories",
                "Publishes those repositories of an unfinished import that are wholly here."
            ) { [services] call in
                ImportReportModel(try await services.imports.publishComplete(call.path("bundle"), by: call.caller))
            },
            .taking(
                .post, Self.path + "/reject", "rejectImport",
                "Refuses an import for good and removes what was staged of it."
            ) {
                [services] (call: APICall, body: ImportRejectionModel) in
                ImportModel(
                    try await services.imports.reject(call.path("bundle"), reason: body.reason, by: call.caller))
            },
            .answering(
                .post, Self.path + "/abandon", "abandonImport", "Gives an import up and removes what was staged of it."
            ) {
                [services] call in ImportModel(try await services.imports.abandon(call.path("bundle"), by: call.caller))
            },
        ]
    }

    /// Bundles that come by network. First the documents, whose signature is judged before a volume is taken.
    private var sending: [APIRoute] {
        [
            APIRoute(
                method: .put, path: Self.path + "/documents/{document}", operation: "sendBundleDocument",
                summary: "Takes BUNDLE.json, BUNDLE.dsse.json, root.N.json or a statement of custody of a bundle.", query: [], body: .bytes,
                answer: .nothing,
                status: .noContent
            ) { [services] call in
                let bytes = try await call.collectBody(upTo: 64 << 20)
                try await services.imports.receive(
                    document: call.path("document"), Array(bytes.readableBytesView), of: call.path("bundle"),
                    by: call.caller)
                return Response(status: .noContent)
            },
            .answering(
                .get, Self.path + "/volumes/{number}", "getSentVolume",
                "Returns how much of a volume has been received."
            ) { [services] call in
                ImportUploadModel(
                    receivedBytes: try await services.imports.received(
                        volume: Self.number(call), of: call.path("bundle"), by: call.caller))
            },
            APIRoute(
                method: .put, path: Self.path + "/volumes/{number}", operation: "sendVolume",
                summary:
                    "Takes bytes of a volume, which goes on where it stopped; then order the import with this bundle.",
                query: [Self.offset], body: .bytes, answer: .json(ImportUploadModel.schema), status: .ok
            ) { [services] call in
                let received = try await services.imports.receive(
                    volume: Self.number(call), from: call.query("offset").flatMap { Int64($0) } ?? 0, call.request.body,
                    of: call.path("bundle"), by: call.caller)
                return try call.json(ImportUploadModel(receivedBytes: received), status: .ok)
            },
        ]
    }

    private static func number(_ call: APICall) throws -> Int {
        guard let number = Int(try call.path("number")), (1...999_999).contains(number) else {
            throw ImportError.invalidVolume(try call.path("number"))
        }
        return number
    }

    private func file(
        _ path: String, _ operation: String, _ summary: String,
        _ bytes: @escaping @Sendable (APICall) async throws -> [UInt8]
    ) -> APIRoute {
        APIRoute(
            method: .get, path: path, operation: operation, summary: summary, query: [], body: nil, answer: .bytes,
            status: .ok
        ) {
            [services] call in
            try await services.identity.requireSite(.approveImports, by: call.principal)
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: try await bytes(call))))
        }
    }

    // MARK: - Progress

    /// The steps of a run and its outcomes, the run being a child of the request.
    private static func lines(
        _ services: APIServices, _ run: @escaping @Sendable () async throws -> [BundleImporter.Outcome]
    ) -> LineStream<ImportEventModel> {
        LineStream { send in
            let steps = services.imports.board.listen()
            let (ended, end) = AsyncStream.makeStream(of: Void.self)
            try await withThrowingTaskGroup(of: [BundleImporter.Outcome]?.self) { tasks in
                tasks.addTask {
                    defer { end.finish() }
                    do {
                        return try await run()
                    } catch let error as any Refusal {
                        // What stops all of it is told like what stops one bundle.
                        return [BundleImporter.Outcome(bundle: "", record: nil, failure: error)]
                    }
                }
                let merged = merge(steps, until: ended, in: &tasks)
                for await step in merged { try await send(ImportEventModel(step)) }
                while let outcomes = try await tasks.next() {
                    guard let outcomes else { continue }
                    for outcome in outcomes { try await send(event(of: outcome)) }
                    tasks.cancelAll()
                }
            }
        }
    }

    /// Passes steps on until the run has ended.
    private static func merge(
        _ steps: AsyncStream<ImportProgress>, until ended: AsyncStream<Void>,
        in tasks: inout ThrowingTaskGroup<[BundleImporter.Outcome]?, any Error>
    ) -> AsyncStream<ImportProgress> {
        let (merged, feed) = AsyncStream.makeStream(of: ImportProgress.self, bufferingPolicy: .bufferingNewest(16))
        tasks.addTask {
            for await step in steps { feed.yield(step) }
            return nil
        }
        tasks.addTask {
            for await _ in ended {}
            feed.finish()
            return nil
        }
        return merged
    }

    private static func event(of outcome: BundleImporter.Outcome) -> ImportEventModel {
        guard let failure = outcome.failure else { return ImportEventModel(outcome, problem: nil) }
        let problem = (failure as? any Refusal)?.problem
        return ImportEventModel(
            outcome,
            problem: problem
                ?? Problem(.unavailable, code: "internal_error", "The hub failed to go on with the import: \(failure)"))
    }

    /// `data: {…}` and an empty line each.
    private static func events(_ steps: AsyncStream<ImportProgress>) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                var open = writer
                for await step in steps {
                    var event = ByteBuffer(string: "data: ")
                    event.writeImmutableBuffer(try JSONForm.encode(ImportEventModel(step)))
                    event.writeString("\n\n")
                    try await open.write(event)
                }
                try await open.finish(nil)
            })
    }
}

extension ImportOrderModel {
    var options: ImportOptions {
        ImportOptions(
            paths: paths ?? [], map: map ?? [:], visibility: visibility, olderReason: olderReason,
            acceptedLicenses: acceptedLicenses ?? [])
    }

    var chosen: Set<String> { Set(bundles ?? []) }
}
