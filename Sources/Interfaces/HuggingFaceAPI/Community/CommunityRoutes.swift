import Community
import HubCore
import Identity
import MetadataStore
import Repositories

/// What people do around repositories, as Hub clients ask for it. hf-hub-api §8 to §11.
package struct CommunityRoutes: Sendable {
    private let community: Community

    package init(_ community: Community) { self.community = community }

    package var all: [HubRoute] {
        AccessRoutes(community: community).all + DiscussionRoutes(community: community).all
            + AttachmentRoutes(community: community).all
            + LikeRoutes(community: community).all + CollectionRoutes(community: community).all
            + SpaceRoutes(community: community).all + WebhookRoutes(community: community).all
    }
}

/// Opens the pull request of a commit with `create_pr=1`.
package struct CommitPullRequests: PullRequestOpening {
    private let community: Community

    package init(_ community: Community) { self.community = community }

    package func open(
        title: String, description: String, base: ReferenceName, in repository: Repository, call: HubCall
    ) async throws -> OpenedPullRequest {
        let discussion = try await community.pullRequests.open(
            title: title, description: description, into: base, status: .open, in: repository, by: call.caller)
        return OpenedPullRequest(number: discussion.number, reference: discussion.reference)
    }

    package func requireCommit(to reference: ReferenceName, in repository: Repository, call: HubCall) async throws {
        if try await community.pullRequests.mayCommit(to: reference, in: repository, by: call.principal) { return }
        throw IdentityError.forbidden(.write)
    }
}
