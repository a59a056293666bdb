import HTTPTypes
import HubCore
import Hummingbird
import ObjectStore
import Repositories
import WebCore

/// The basic transfer: one object, one request. Source: *git-lfs `docs/api/basic-transfers.md`*.
struct LFSTransfers: Sendable {
    private let call: LFSCall

    init(_ call: LFSCall) { self.call = call }

    /// `GET` and `HEAD`: whole, or the range that a client resumes from.
    func send(_ oid: ObjectID) async throws -> Response {
        let transfer = try await call.transfer(.download, of: oid, for: .readContent)
        let reader = try await call.lfs.open(oid, in: transfer.repository)
        let content = ContentResponse(etag: oid.hex, sizeBytes: reader.object.sizeBytes)
        let pieceBytes = ContentResponse.pieceBytes(in: call.context)
        var response = try await content.answer(call.request) { reader.read($0, pieceBytes: pieceBytes) }
        response.headers[.cacheControl] = "private, no-transform"
        return response
    }

    /// `PUT`: stores the body, if it is what the address and the link say.
    func receive(_ oid: ObjectID) async throws -> Response {
        let transfer = try await call.upload(.upload, of: oid)
        let length = call.request.headers[.contentLength].flatMap { Int64($0) }
        guard let size = transfer.grant?.sizeBytes ?? length else { throw LFSRequestError.lengthRequired }
        // Told before the body is read.
        if let length, length != size { throw ObjectStoreError.wrongSize(expected: size, actual: length) }
        try await call.lfs.receive(
            oid, sizeBytes: size, body: call.request.body, into: transfer.repository, account: transfer.account)
        return Response(status: .ok, headers: [.eTag: "\"\(oid)\""])
    }

    /// Confirms that an object that was uploaded is there.
    func verify() async throws -> Response {
        let form = try await call.body(LFSForms.ObjectReference.self)
        guard let oid = ObjectID(hex: form.oid) else { throw LFSError.invalidObjectID(form.oid) }
        let transfer = try await call.upload(.verify, of: oid)
        guard let size = try await call.lfs.sizes(of: [oid], in: transfer.repository)[oid] else {
            throw LFSError.objectNotFound(oid)
        }
        guard size == form.size else { throw LFSError.sizeDiffers(oid, stored: size) }
        return Response(status: .ok)
    }
}
