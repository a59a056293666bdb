import FoundationEssentials
import HTTPTypes
import HubCore
import Hummingbird
import MetadataStore
import ObjectStore
import Repositories
import WebCore

/// Uploads in parts, as `huggingface_hub` and its git-lfs agent do them: the action's `header` holds `chunk_size` and one link a
/// part, under its number; `href` completes the upload. Source: huggingface_hub `lfs.py`, `_upload_multi_part`, and `cli/lfs.py`.
struct LFSParts: Sendable {
    private let call: LFSCall

    init(_ call: LFSCall) { self.call = call }

    /// The action of an object in a batch. An unfinished upload of the same account goes on.
    func action(
        _ oid: ObjectID, size: Int64, into repository: Repository, by principal: Principal, room: inout Int64
    ) async throws -> LFSForms.BatchAnswer.Action {
        let session = try await call.lfs.beginUpload(
            oid, sizeBytes: size, into: repository, account: principal.account?.id, room: &room)
        let grant = call.lfs.grant(.multipart, oid: oid, sizeBytes: size, repository: repository, principal: principal)
        let base = "objects/\(oid)/uploads/\(session.id)"
        // The agent takes the parts in the order in which git-lfs sorts the keys as text, so all have five digits. Values are
        // texts, as git-lfs takes no others; nothing else may be in the header, as the agent takes every value for a link.
        var header = ["chunk_size": String(session.partSizeBytes)]
        let count = (size + session.partSizeBytes - 1) / session.partSizeBytes
        for number in 0..<count {
            let digits = String(number + 1)
            let key = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
            // csghub-sdk takes an upload as done only when its links name it.
            header[key] = call.link("\(base)/\(number + 1)", of: repository, grant: grant) + "&uploadId=\(session.id)"
        }
        return LFSForms.BatchAnswer.Action(
            href: call.link(base, of: repository, grant: grant), header: header,
            expires_in: Int(call.lfs.settings.grantLifetime))
    }

    /// `PUT`: stores one part.
    func receive(_ oid: ObjectID, session id: Substring, number: Substring) async throws -> Response {
        let (session, _) = try await session(oid, id)
        guard let session else { throw ObjectStoreError.uploadNotFound }
        guard number.utf8.count <= 6, let number = Int(number) else { throw ObjectStoreError.invalidPart }
        let etag = try await call.lfs.receivePart(number, of: session, body: call.request.body)
        return Response(status: .ok, headers: [.eTag: "\"\(etag)\""])
    }

    /// `POST`: checks parts and hash and makes the object. Repeating it, as clients do when an answer is lost, is harmless.
    func complete(_ oid: ObjectID, session id: Substring) async throws -> Response {
        let (session, transfer) = try await session(oid, id)
        let form = try await call.body(LFSForms.Completion.self)
        guard form.oid == oid.hex else { throw LFSError.invalidObjectID(form.oid) }
        guard let session else {
            guard try await call.lfs.sizes(of: [oid], in: transfer.repository)[oid] != nil else {
                throw ObjectStoreError.uploadNotFound
            }
            return call.answer(["oid": oid.hex])
        }
        let stored = Dictionary(session.parts.map { ($0.number, $0.etag) }) { first, _ in first }
        let named = Dictionary(form.parts.map { ($0.partNumber, $0.etag.filter { $0 != "\"" }) }) { first, _ in first }
        guard named == stored, form.parts.count == stored.count else { throw ObjectStoreError.incompleteUpload }
        try await call.lfs.completeUpload(session)
        return call.answer(["oid": oid.hex])
    }

    /// The upload that an address names, if it belongs to this object, repository and account.
    private func session(_ oid: ObjectID, _ id: Substring) async throws -> (UploadSession?, Transfer) {
        let transfer = try await call.upload(.multipart, of: oid)
        guard id.utf8.count == 32, id.utf8.allSatisfy({ Hex.value(of: $0) != nil }) else {
            throw ObjectStoreError.uploadNotFound
        }
        let session: UploadSession
        do {
            session = try await call.lfs.session(String(id))
        } catch ObjectStoreError.uploadNotFound {
            return (nil, transfer)
        }
        guard session.oid == oid, session.repository == transfer.repository.id, session.account == transfer.account
        else {
            throw ObjectStoreError.uploadNotFound
        }
        return (session, transfer)
    }
}
