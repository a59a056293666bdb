import BundleFormat
import Bundles
import GitStore
import HTTPTypes
import HubCore
import Hummingbird
import Identity
import NIOCore
import Repositories

/// Signatures of models that the hub holds. Ours.
struct ModelSignatureRoutes {
    let services: APIServices

    var routes: [APIRoute] {
        [
            APIRoute(
                method: .post, path: RepositoryRoutes.path + "/model-signature", operation: "signModelRevision",
                summary: "Signs the files of a commit by the OpenSSF Model Signing specification, with the hub's key; answers a Sigstore bundle.",
                query: [APIParameter("commit", .text(atMost: 40), "The commit, in full.")], body: nil, answer: .bytes, status: .ok
            ) { [services] call in
                let identity = try await services.trust.publisher.identity(for: call.caller)
                let repository = try await services.identity.repository(call.repositoryReference(), for: .readContent, by: call.principal)
                guard let commit = GitOID(hex: call.query("commit") ?? "") else {
                    throw ProblemError(.invalid, code: "invalid_commit", "Name the commit in full, 40 hex digits.")
                }
                let snapshot = try await services.git.snapshot(of: repository)
                let files = try await services.git.threads.run { try ModelRevision.files(of: commit, in: snapshot.objects) }
                guard let files else {
                    throw ProblemError(
                        .unsupported, code: "not_signable", "The specification does not cover links and other repositories in a model.")
                }
                guard let bundle = try identity.signModel(name: repository.name.name, files: files) else {
                    throw PublisherError.keyMissing(publisher: identity.publisher)
                }
                return Response(
                    status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bundle)))
            }
        ]
    }
}
