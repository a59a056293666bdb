import HTTPTypes
import HubCore
import Identity
import MetadataStore

/// The audit log, for administrators and auditors.
struct AuditRoutes {
    let identity: Identity

    var routes: [APIRoute] {
        [
            .answering(.get, "/audit", "listAudit", "Lists the audit log, newest first.", query: APIParameter.paging) {
                [identity] call in try await list(call, identity)
            },
            .streaming(
                "/audit/export", "exportAudit", "Streams the audit log, oldest first.",
                query: [
                    APIParameter("after", .integer(minimum: 0, maximum: nil), "Only rows after this sequence number.")
                ],
                of: AuditModel.self
            ) { [identity] call in try await export(call, identity) },
            .streaming(
                "/audit/verification", "verifyAudit",
                "Checks that each row of the audit log follows from the one before.",
                of: AuditCheckLine.self
            ) { [identity] call in
                try await identity.requireSite(.readAudit, by: call.principal)
                return verification(by: call.principal, identity)
            },
        ]
    }
}

private func list(_ call: APICall, _ identity: Identity) async throws -> ListPage<AuditModel> {
    var before: Int64?
    if let cursor = call.cursor {
        guard let number = Int64(cursor), number > 0 else { throw MetadataError.invalidCursor }
        before = number
    }
    let records = try await identity.latestAuditEntries(before: before, limit: call.limit, by: call.principal)
    let last = records.last?.sequence ?? 1
    let hasMore = records.count == call.limit && last > 1
    return ListPage(items: records.map(AuditModel.init), next: hasMore ? String(last) : nil)
}

private func export(_ call: APICall, _ identity: Identity) async throws -> LineStream<AuditModel> {
    let principal = call.principal
    let start = call.query("after").flatMap { Int64($0) } ?? 0
    // Asked before the first line, so that a refusal is a status.
    try await identity.requireSite(.readAudit, by: principal)
    return LineStream { send in
        var last = start
        while true {
            try Task.checkCancellation()
            let records = try await identity.auditEntries(after: last, limit: 500, by: principal)
            guard let newest = records.last else { return }
            for record in records { try await send(AuditModel(record)) }
            last = newest.sequence
        }
    }
}

private func verification(by principal: Principal, _ identity: Identity) -> LineStream<AuditCheckLine> {
    LineStream { send in
        let (steps, feed) = AsyncStream.makeStream(of: (Int64, Int64).self, bufferingPolicy: .bufferingNewest(1))
        let result = try await withThrowingTaskGroup(of: AuditVerification.self) { tasks in
            tasks.addTask {
                defer { feed.finish() }
                return try await identity.verifyAudit(by: principal) { feed.yield(($0, $1)) }
            }
            var lastLine = ContinuousClock.now
            for await (checked, total) in steps where ContinuousClock.now - lastLine > .milliseconds(200) {
                lastLine = ContinuousClock.now
                try await send(
                    AuditCheckLine(event: .progress, checkedRows: checked, totalRows: total))
            }
            return try await tasks.next()
        }
        if let result { try await send(summary(of: result)) }
    }
}

private func summary(of result: AuditVerification) -> AuditCheckLine {
    switch result {
    case .intact(let count, let lastHash):
        AuditCheckLine(
            event: .summary, checkedRows: count, totalRows: count, isIntact: true,
            lastHash: Hex.encode(lastHash))
    case .broken(let sequence, let reason):
        AuditCheckLine(
            event: .summary, checkedRows: sequence, isIntact: false,
            brokenAt: sequence, message: reason)
    }
}
