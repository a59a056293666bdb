import HTTPTypes
import HubCore
import Hummingbird
import Identity
import Repositories
import WebCore

/// The batch call: for each object of a list, how to transfer it. Source: *git-lfs `docs/api/batch.md`*.
struct LFSBatch: Sendable {
    static let maximumObjects = 10_000
    /// Part links in one answer; the largest object has half as many.
    static let maximumParts: Int64 = 20_000

    private let call: LFSCall

    init(_ call: LFSCall) { self.call = call }

    private enum Operation: String {
        case upload, download
    }

    /// An object that may be transferred: its name and size are valid.
    private struct Item {
        let oid: ObjectID
        let size: Int64
        /// Its size in this repository, if it is there.
        let stored: Int64?
    }

    /// What the uploads in parts of one batch may still take together: links in the answer, and room on the disk.
    private struct PartsLeft {
        var parts: Int64
        var bytes: Int64
    }

    func answer() async throws -> Response {
        try call.checkAccept()
        // Rights come before the form of the request, so that nobody learns anything by malformed requests.
        let principal = try await call.identity.principal(of: call.request, in: call.context, door: .lfs)
        let repository = try await call.identity.repository(call.address.reference, for: .read, by: principal)
        let request = try await call.body(LFSForms.BatchRequest.self)
        guard let operation = Operation(rawValue: request.operation) else { throw LFSError.unknownOperation(request.operation) }
        if let hash = request.hash_algo, hash != "sha256" { throw LFSError.unknownHash(hash) }
        guard !request.objects.isEmpty else { throw LFSError.noObjects }
        guard request.objects.count <= Self.maximumObjects else { throw LFSError.tooManyObjects(limit: Self.maximumObjects) }
        switch operation {
        case .upload: try await call.requireUpload(to: repository, by: principal)
        case .download: try await call.identity.require(.readContent, on: repository, by: principal)
        }

        let sizes = try await call.lfs.sizes(of: request.objects.compactMap { ObjectID(hex: $0.oid) }, in: repository)
        let items = request.objects.map { object in Result { () throws(LFSError) in try item(object, sizes: sizes) } }
        if items.allSatisfy({ (try? $0.get()) == nil }), case .failure(let first)? = items.first { throw first }
        let clientTakesParts = operation == .upload && request.transfers?.contains("multipart") == true
        // csghub-sdk's own client, which alone names an upload, reads nothing but links of parts.
        let takesPartsOnly = clientTakesParts && (request.namesUpload || call.request.uri.queryParameters["upload_id"] != nil)
        let transfer = takesPartsOnly || clientTakesParts && items.contains(where: isLarge) ? "multipart" : "basic"
        var answers: [LFSForms.BatchAnswer.Object] = []
        var left = PartsLeft(parts: Self.maximumParts, bytes: transfer == "multipart" ? try await call.lfs.roomForUploads() : 0)
        for (object, item) in zip(request.objects, items) {
            answers.append(
                try await self.answer(
                    object, item, operation, transfer: transfer, linksOnly: request.transfers?.contains("multipart") == true,
                    sendsAgain: takesPartsOnly, left: &left, repository: repository, principal: principal))
        }
        return call.answer(LFSForms.BatchAnswer(transfer: transfer, objects: answers))
    }

    private func item(_ object: LFSForms.BatchRequest.Object, sizes: [ObjectID: Int64]) throws(LFSError) -> Item {
        guard let oid = ObjectID(hex: object.oid) else { throw .invalidObjectID(object.oid) }
        guard object.size >= 0 else { throw .invalidSize(object.size) }
        if let stored = sizes[oid], stored != object.size { throw .sizeDiffers(oid, stored: stored) }
        return Item(oid: oid, size: object.size, stored: sizes[oid])
    }

    private func isLarge(_ item: Result<Item, LFSError>) -> Bool {
        guard case .success(let item) = item, item.stored == nil else { return false }
        return item.size >= call.lfs.settings.multipartThresholdBytes && item.size <= call.lfs.settings.maximumObjectBytes
    }

    /// - Parameters:
    ///   - linksOnly: the client sends no headers to the links that it is given, so the signature is in them.
    ///   - sendsAgain: the client understands no answer that says that the object is there.
    private func answer(
        _ object: LFSForms.BatchRequest.Object, _ item: Result<Item, LFSError>, _ operation: Operation, transfer: String,
        linksOnly: Bool, sendsAgain: Bool, left: inout PartsLeft, repository: Repository, principal: Principal
    ) async throws -> LFSForms.BatchAnswer.Object {
        var answer = LFSForms.BatchAnswer.Object(oid: object.oid, size: object.size)
        do {
            let item = try item.get()
            switch operation {
            case .download:
                guard item.stored != nil else { throw LFSError.objectNotFound(item.oid) }
                answer.actions = ["download": action(.download, item, "objects/\(item.oid)", linksOnly, repository, principal)]
            case .upload:
                guard item.stored == nil || sendsAgain else { return answer }
                guard item.size <= call.lfs.settings.maximumObjectBytes else {
                    throw LFSError.tooLarge(call.lfs.settings.maximumObjectBytes)
                }
                if transfer == "multipart" {
                    left.parts -= call.lfs.partCount(for: item.size)
                    guard left.parts >= 0 else { throw LFSError.tooManyParts(limit: Self.maximumParts) }
                }
                let upload =
                    transfer == "multipart"
                    ? try await LFSParts(call).action(item.oid, size: item.size, into: repository, by: principal, room: &left.bytes)
                    : action(.upload, item, "objects/\(item.oid)", linksOnly, repository, principal)
                answer.actions = [
                    "upload": upload, "verify": action(.verify, item, "objects/verify", linksOnly, repository, principal),
                ]
            }
            answer.authenticated = true
        } catch let error as any Refusal {
            let problem = error.problem
            answer.error = LFSForms.BatchAnswer.Failure(code: problem.kind.status.code, message: problem.message)
        }
        return answer
    }

    private func action(
        _ operation: TransferGrant.Operation, _ item: Item, _ path: String, _ linksOnly: Bool, _ repository: Repository,
        _ principal: Principal
    ) -> LFSForms.BatchAnswer.Action {
        let grant = call.lfs.grant(operation, oid: item.oid, sizeBytes: item.size, repository: repository, principal: principal)
        return LFSForms.BatchAnswer.Action(
            href: call.link(path, of: repository, grant: linksOnly ? grant : nil),
            header: linksOnly ? nil : ["Authorization": "Bearer \(grant)"], expires_in: Int(call.lfs.settings.grantLifetime))
    }
}
