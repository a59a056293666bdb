import HubCore
import Hummingbird
import ModelFormats

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
        let card = Card(parsing: Array(form.content.utf8))
        if let problem = card.problem { return answer(errors: [problem.message], warnings: []) }
        if let index = card.data?["model-index"], index != .null, index.elements == nil {
            return answer(errors: ["\"model-index\" must be an array"], warnings: [])
        }
        let isEmpty = card.data == nil
        return answer(errors: [], warnings: isEmpty ? ["empty or missing yaml metadata in repo card"] : [])
    }

    private func answer(errors: [String], warnings: [String]) -> Response {
        func list(_ texts: [String]) -> JSON { .array(texts.map { ["message": .string($0)] }) }
        var answer: JSON = ["errors": list(errors), "warnings": list(warnings)]
        if let first = errors.first { answer = answer.adding("error", .string(first)) }
        return call.answer(answer, status: errors.isEmpty ? .ok : .badRequest)
    }
}
