import HubCore
import Hummingbird

/// Checks the front matter of a README before it is committed. hf-hub-api §6 a.
struct CardValidation {
    private struct Form: Decodable {
        let content: String
        let repoType: String?
    }

    private let call: HubCall

    init(_ call: HubCall) { self.call = call }

    func respond() async throws -> Response {
        let form = try await call.json(Form.self)
        guard let block = Self.frontMatter(of: form.content) else {
            return answer(errors: [], warnings: ["empty or missing yaml metadata in repo card"])
        }
        guard block != nil else { return answer(errors: ["The front matter has no line --- at its end."], warnings: []) }
        return answer(errors: [], warnings: [])
    }

    private func answer(errors: [String], warnings: [String]) -> Response {
        func list(_ texts: [String]) -> JSON { .array(texts.map { ["message": .string($0)] }) }
        var answer: JSON = ["errors": list(errors), "warnings": list(warnings)]
        if let first = errors.first { answer = answer.adding("error", .string(first)) }
        return call.answer(answer, status: errors.isEmpty ? .ok : .badRequest)
    }

    /// The lines between the first `---` and the next; `nil` without a front matter, `.some(nil)` when it does not end.
    static func frontMatter(of content: String) -> String?? {
        let lines = content.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasSuffix("\r") ? line.dropLast() : line
        }
        guard let first = lines.first, first.trimmingEnds == "---" else { return nil }
        guard let end = lines.dropFirst().firstIndex(where: { $0.trimmingEnds == "---" }) else { return .some(nil) }
        return lines[1..<end].joined(separator: "\n")
    }
}

extension Substring {
    fileprivate var trimmingEnds: String { String(self).trimmingEnds }
}
