import Community

/// What people do around repositories, as Hub clients ask for it. hf-hub-api §8 to §11.
package struct CommunityRoutes: Sendable {
    private let community: Community

    package init(_ community: Community) { self.community = community }

    package var all: [HubRoute] { AccessRoutes(community: community).all }
}
