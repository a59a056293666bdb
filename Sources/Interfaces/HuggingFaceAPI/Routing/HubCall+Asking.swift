import FoundationEssentials
import HTTPTypes
import HubCore
import Hummingbird
import NIOCore
import WebCore

/// What the client sends along: query, form, JSON.
extension HubCall {
    /// The most that a JSON body or a form may have unless a route says otherwise.
    package static let maximumBodyBytes = 4 << 20

    // MARK: The query

    static func queryItems(of request: Request) -> [(name: String, value: String)] {
        guard let query = request.uri.query else { return [] }
        return pairs(in: query).map { name, value in (name.hasSuffix("[]") ? String(name.dropLast(2)) : name, value) }
    }

    /// The first value of a parameter.
    package func query(_ name: String) -> String? { queryItems.first { $0.name == name }?.value }

    /// All values of a parameter that may be repeated.
    package func queries(_ name: String) -> [String] { queryItems.filter { $0.name == name }.map(\.value) }

    /// `true`, `True`, `1`, `yes` or nothing after the name.
    package func flag(_ name: String) -> Bool { Self.isTrue(query(name)) }

    static func isTrue(_ value: String?) -> Bool {
        guard let value else { return false }
        return ["", "1", "true", "yes", "on"].contains(value.lowercased())
    }

    /// The page size that is asked for, within bounds.
    package func limit(default standard: Int, maximum: Int) -> Int {
        min(max(query("limit").flatMap { Int($0) } ?? standard, 1), maximum)
    }

    /// Where the page begins: what `Link` gave the client.
    package var cursor: String? { query("cursor") }

    /// Pairs as forms and queries write them, `+` for a space; a pair that does not decode is left out.
    static func pairs(in text: some StringProtocol) -> [(name: String, value: String)] {
        text.split(separator: "&").compactMap { pair in
            let ends = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let decoded = ends.compactMap { plain(String($0)) }
            guard decoded.count == ends.count, let name = decoded.first else { return nil }
            return (name, decoded.count == 2 ? decoded[1] : "")
        }
    }

    private static func plain(_ text: String) -> String? {
        let isEncoded = text.utf8.contains { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "%") }
        return isEncoded ? text.replacing("+", with: " ").percentDecoded : text
    }

    // MARK: The body

    /// The body as JSON; an absent one is `{}`. Unknown keys are ignored, as clients add some with every version.
    package func json<Form: Decodable>(_ form: Form.Type, limit: Int = Self.maximumBodyBytes) async throws -> Form {
        let body = try await request.collect(limit: limit)
        return try Self.decode(form, from: body.readableBytes == 0 ? ByteBuffer(string: "{}") : body)
    }

    /// The pairs of a form-encoded body.
    package func form(limit: Int = Self.maximumBodyBytes) async throws -> [(name: String, value: String)] {
        Self.pairs(in: String(buffer: try await request.collect(limit: limit)))
    }

    /// Whether the body is JSON rather than a form.
    package var hasJSONBody: Bool { request.headers[.contentType]?.lowercased().hasPrefix("application/json") ?? false }

    static func decode<Form: Decodable>(_ form: Form.Type, from body: ByteBuffer) throws -> Form {
        do {
            return try JSONDecoder().decode(form, from: Data(body.readableBytesView))
        } catch {
            guard let problem = Problem.describing(error) else { throw error }
            throw ProblemError(problem)
        }
    }
}
