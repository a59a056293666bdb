import Identity
import Logging
import MetadataStore
import ObjectStore
import Repositories

/// What the routes of the Hub API work with.
package struct HubServices: Sendable {
    package let identity: Identity
    package let store: MetadataStore
    package let repositories: RepositoryService
    package let git: GitService
    package let lfs: LFSService
    package let objects: FileObjectStore
    /// What the files of repositories say.
    package let facts: FactsService
    /// Ids of one part, as tutorials write them, and the repositories that they stand for here.
    package let aliases: RepositoryAliases
    package let downloads: DownloadCounter
    package let listAnswers: ListAnswers
    package let extensions: HubExtensions

    package init(
        identity: Identity, store: MetadataStore, repositories: RepositoryService, git: GitService, lfs: LFSService,
        objects: FileObjectStore, facts: FactsService? = nil, extensions: HubExtensions = HubExtensions()
    ) {
        self.identity = identity
        self.store = store
        self.repositories = repositories
        self.git = git
        self.lfs = lfs
        self.objects = objects
        self.facts = facts ?? FactsService(store: store, git: git, lfs: lfs, logger: Logger(label: "csghub"))
        aliases = RepositoryAliases(store: store)
        downloads = DownloadCounter(store: store)
        listAnswers = ListAnswers(store: store)
        self.extensions = extensions
    }
}
