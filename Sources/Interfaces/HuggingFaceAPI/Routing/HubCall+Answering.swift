import HTTPTypes
import HubCore
import Hummingbird
import NIOCore
import WebCore

/// The forms of answers.
extension HubCall {
    package func answer(_ json: JSON, status: HTTPResponse.Status = .ok) -> Response { .hub(json, status: status) }

    /// `{"success": true}`, for calls whose answer no client reads.
    package func done() -> Response { answer(["success": true]) }

    /// A page of a list: a JSON array, with the address of the next page in `Link`.
    package func page(_ items: [JSON], next: String?) -> Response {
        var response = answer(.array(items))
        if let next { response.headers[.link] = "<\(address(cursor: next))>; rel=\"next\"" }
        return response
    }

    /// This request's absolute address with another cursor. The client repeats no parameter, so the link holds them all.
    private func address(cursor: String) -> String {
        let kept = (request.uri.query ?? "").split(separator: "&").filter { !$0.hasPrefix("cursor=") }.map(String.init)
        let query = (kept + ["cursor=" + cursor.percentEncoded]).joined(separator: "&")
        return "\(endpoint)/\(path.parts.joined(separator: "/"))?\(query)"
    }
}

extension Response {
    package static func hub(_ json: JSON, status: HTTPResponse.Status = .ok) -> Response {
        let buffer = ByteBuffer(bytes: json.utf8)
        return Response(
            status: status,
            headers: [
                .contentType: "application/json; charset=utf-8", .contentLength: String(buffer.readableBytes),
                .cacheControl: "no-store",
            ],
            body: ResponseBody(byteBuffer: buffer))
    }
}

extension HTTPField.Name {
    package static let link = literal("Link")
    package static let errorCode = literal("X-Error-Code")
    package static let errorMessage = literal("X-Error-Message")
    package static let traceID = literal("X-Amzn-Trace-Id")
}

extension String {
    /// Everything but letters, digits and `-._~` as `%XX` (RFC 3986 §2.3); a slash too.
    package var percentEncoded: String { percentEncoded(keeping: "") }

    package func percentEncoded(keeping kept: String) -> String {
        var text = ""
        for byte in utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e:
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                if kept.utf8.contains(byte) {
                    text.unicodeScalars.append(Unicode.Scalar(byte))
                } else {
                    text += "%" + Hex.encode([byte]).uppercased()
                }
            }
        }
        return text
    }
}
