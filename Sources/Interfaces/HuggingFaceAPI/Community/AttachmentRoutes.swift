import Community
import HTTPTypes
import HubCore
import Hummingbird
import MetadataStore
import NIOCore
import ObjectStore
import WebCore

/// Pictures, films and sounds of discussions. hf-hub-api §8; *huggingface_hub* `HfApi.upload_attachment`.
struct AttachmentRoutes: Sendable {
    let community: Community

    var all: [HubRoute] {
        [
            HubRoute(.post, "/uploads") { try await receive($0) },
            HubRoute(.get, "/uploads/{file}") { try await send($0) },
        ]
    }

    /// Answers the address as text: the client puts it into a comment.
    private func receive(_ call: HubCall) async throws -> Response {
        let attachment = try await community.attachments.receive(
            call.request.headers[.contentType], sizeBytes: call.request.headers[.contentLength].flatMap { Int64($0) },
            body: call.request.body, by: call.caller)
        let address = "\(call.endpoint)/uploads/\(Self.fileName(attachment))"
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/plain; charset=utf-8", .contentLength: String(address.utf8.count), .cacheControl: "no-store",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: address)))
    }

    /// The content as what it was checked to be. Only pictures are shown in place, and nothing runs in the hub's name.
    private func send(_ call: HubCall) async throws -> Response {
        let file = call.value("file")
        let attachment = try await community.attachments.find(String(file.prefix { $0 != "." }), by: call.principal)
        guard file == attachment.publicID || file == Self.fileName(attachment) else { throw AttachmentError.notFound }
        let content = ContentResponse(
            etag: attachment.object.hex, sizeBytes: attachment.sizeBytes, contentType: attachment.type.rawValue)
        let pieceBytes = ContentResponse.pieceBytes(in: call.context)
        var response = try await content.answer(call.request) { range in
            try await community.attachments.open(attachment).read(range, pieceBytes: pieceBytes)
        }
        response.headers[.cacheControl] = "private, no-cache, no-transform"
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.contentSecurityPolicy] = ResolveRoutes.sandbox
        response.headers[.resourcePolicy] = "same-origin"
        response.headers[.contentDisposition] =
            "\(attachment.type.isImage ? "inline" : "attachment"); filename=\"\(Self.fileName(attachment))\""
        return response
    }

    private static func fileName(_ attachment: DiscussionAttachment) -> String { "\(attachment.publicID).\(attachment.type.ending)" }
}

extension HTTPField.Name {
    static let resourcePolicy = literal("Cross-Origin-Resource-Policy")
}
