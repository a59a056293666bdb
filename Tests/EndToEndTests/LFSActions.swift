import Foundation
import HubTestSupport
import Testing

/// What the batch API answered for one object.
struct BatchObject: Decodable {
    struct Action: Decodable {
        let href: String
        let header: [String: String]?
    }
    struct Refusal: Decodable {
        let code: Int
        let message: String
    }
    let oid: String
    let size: Int
    let actions: [String: Action]?
    let error: Refusal?
}

struct BatchAnswer: Decodable {
    let transfer: String?
    let objects: [BatchObject]
}

extension GitClient {
    /// curl's words that sign in as this client.
    var credentials: [String] { ["--user", "\(account):\(password)"] }

    /// Posts JSON to the LFS API of a repository.
    func postLFS(_ repository: String, _ path: String, _ json: String, signedIn: Bool = true) throws -> HTTPAnswer {
        let words =
            (signedIn ? credentials : []) + [
                "--header", "Accept: application/vnd.git-lfs+json", "--header",
                "Content-Type: application/vnd.git-lfs+json",
                "--data-binary", json,
            ]
        return try hub.http("\(hub.address(repository))/info/lfs/\(path)", words)
    }

    /// Asks the batch API about objects.
    func batch(
        _ operation: String, _ objects: [(oid: String, size: Int)], in repository: String,
        transfers: String = #""basic""#
    )
        throws -> BatchAnswer
    {
        let list = objects.map { #"{"oid":"\#($0.oid)","size":\#($0.size)}"# }.joined(separator: ",")
        let answer = try postLFS(
            repository, "objects/batch",
            #"{"operation":"\#(operation)","transfers":[\#(transfers)],"objects":[\#(list)]}"#)
        #expect(answer.status == 200, "\(answer)")
        return try JSONDecoder().decode(BatchAnswer.self, from: Data(answer.body.utf8))
    }

    /// Follows an action with curl, with nothing but what the action says.
    func follow(_ action: BatchObject.Action, _ arguments: String...) throws -> HTTPAnswer {
        let headers = (action.header ?? [:]).flatMap { ["--header", "\($0.key): \($0.value)"] }
        return try hub.http(action.href, headers + arguments)
    }

    /// Stores an object by batch and upload.
    ///
    /// Returns its id.
    @discardableResult
    func upload(_ file: String, to repository: String) throws -> String {
        let oid = try Content.sha256(of: file)
        let size = fileBytes(file)
        let answer = try batch("upload", [(oid, size)], in: repository)
        if let action = answer.objects.first?.actions?["upload"] {
            let put = try follow(action, "--upload-file", file)
            #expect((200...204).contains(put.status), "\(put)")
        }
        return oid
    }
}
