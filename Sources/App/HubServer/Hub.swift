import Bundles
import CSGHubAPI
import Community
import FoundationEssentials
import Glibc
import GitProtocols
import GitStore
import HTTPTypes
import HubAPI
import HubCore
import HuggingFaceAPI
import Hummingbird
import Identity
import Logging
import MetadataStore
import NIOCore
import NIOPosix
import ObjectStore
import Repositories
import ServiceLifecycle
import UnixSignals
import WebCore
import XetProtocol

/// One hub: its stores, its services and the router that all its doors share. Owns the data directory while it exists.
package final class Hub: Sendable {
    /// What the hub is opened for.
    package enum Purpose: Sendable {
        /// To answer on its addresses.
        case serving
        /// For one verb, in its own process, while no hub runs.
        case local
    }

    package let settings: HubSettings
    package let store: MetadataStore
    package let objects: FileObjectStore
    package let git: GitStore
    package let identity: Identity
    package let repositories: RepositoryService
    package let lfs: LFSService
    package let xet: XetService
    /// Refs and packs of repositories, as the protocols and the API use them.
    package let gitService: GitService
    /// What the files of repositories say.
    package let facts: FactsService
    /// What happens to repositories, for whoever follows it.
    package let events: RepositoryEvents
    package let community: Community
    package let imports: BundleImporter
    private let importQueue: ImportQueue
    /// Whose bundles the hub takes, and as whom it signs its own.
    package let trust: TrustServices
    package let metrics: MetricsRegistry
    /// Where the hub is reached, the main address first.
    package let externalAddresses: ExternalAddresses
    let folder: DataFolder
    let logger: Logger
    private let gitThreads: GitThreads
    private let packSender: PackSender
    private let responder: RouterResponder<HubContext>
    private let network: HubNetwork?

    /// Opens the data directory, making what is missing, and, to serve, the listening sockets; connections wait until `run`.
    /// - Throws: `StartError`, or what a store throws when it cannot be opened.
    package init(settings: HubSettings, purpose: Purpose, metrics: MetricsRegistry = MetricsRegistry()) async throws {
        let logger = Logger(label: "csghub")
        self.settings = settings
        self.metrics = metrics
        self.logger = logger
        folder = try DataFolder(path: settings.data)
        let secrets = try SecretFiles(folder: folder.file("secrets"))
        network = purpose == .serving ? try await HubNetwork(settings: settings, folder: folder, secrets: secrets, logger: logger) : nil
        externalAddresses = ExternalAddresses(network?.origins ?? settings.externalURLs)

        store = try MetadataStore(path: folder.file("hub.db"))
        var objectSettings = FileObjectStore.Settings(onStorageFailure: Self.end(after:))
        objectSettings.reserveBytes = settings.reserveBytes
        objects = try FileObjectStore(
            root: folder.file("objects"), staging: folder.file("staging"), settings: objectSettings)
        gitThreads = GitThreads(count: max(4, System.coreCount * 2), onStorageFailure: Self.end(after:))
        git = try GitStore(root: folder.file("git"), staging: folder.file("staging"), threads: gitThreads)
        identity = Identity(
            store: store,
            settings: IdentitySettings(
                allowsAnonymousRead: settings.allowsAnonymousRead, externalURL: externalAddresses.main.description))
        events = RepositoryEvents()
        repositories = RepositoryService(store: store, identity: identity, events: events)
        lfs = LFSService(
            store: store, objects: objects, signer: TransferSigner(key: try secrets.key("lfs-transfer.key")))
        xet = try await XetService(
            store: store, objects: objects, identity: identity, signer: XetSigner(key: try secrets.key("xet.key")))

        packSender = try PackSender(
            store: git, cache: PackCacheSettings(folder: folder.file("staging/packs"), maximumBytes: 4 << 30),
            concurrency: System.coreCount)
        gitService = GitService(
            store: store, git: git, sender: packSender, threads: gitThreads, receiveLimits: ReceiveLimits(),
            concurrentReceives: System.coreCount, events: events)
        facts = FactsService(store: store, git: gitService, lfs: lfs, logger: logger)

        community = Community(
            store: store, objects: objects, identity: identity, git: gitService, events: events,
            key: try secrets.key("community.key"))
        trust = TrustServices(
            store: TrustStore(store: store, identity: identity, folder: settings.trustFolder),
            publisher: PublisherKeys(
                store: store, identity: identity, secrets: folder.file("secrets"), host: externalAddresses.main.host))
        imports = BundleImporter(
            store: store, objects: objects, git: git, threads: gitThreads, limits: ReceiveLimits(), identity: identity, events: events,
            trust: HubImportTrust(trust), logger: logger)
        importQueue = ImportQueue(importer: imports, logger: logger)
        let router = Router(context: HubContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestMiddleware())
        router.add(middleware: GitHTTPMiddleware(identity: identity, git: gitService, lfs: lfs, pullRequests: community.pullRequests))
        router.add(middleware: LFSMiddleware(identity: identity, lfs: lfs))
        var extensions = HubExtensions()
        extensions.pullRequests = CommitPullRequests(community)
        let spaceRoutes = SpaceRoutes(community: community)
        extensions.created = { try await spaceRoutes.setUp($1, $2, $0) }
        extensions.xetHashes = { [xet] _, objects in try await xet.hashes(of: objects).mapValues(\.hex) }
        let hubServices = HubServices(
            identity: identity, store: store, repositories: repositories, git: gitService, lfs: lfs, objects: objects, facts: self.facts,
            extensions: extensions)
        router.add(middleware: XetMiddleware(xet: xet))
        router.add(middleware: HuggingFaceAPI(hubServices, routes: CommunityRoutes(community).all + XetTokenRoutes(xet: xet).routes + CSGHubAPI.routes))
        let network = network
        OperationRoutes(
            identity: identity, store: store, objects: objects, metrics: metrics,
            gauges: { ProcessGauges.now(connections: network?.openConnections ?? 0) }, authority: network?.authorityCertificate
        ).add(to: router)
        ConnectRoutes(identity: identity, authority: network?.authorityCertificate).add(to: router)
        let facts = SiteFacts(
            startedAt: Date(), dataDirectory: folder.path, externalAddresses: externalAddresses.origins.map(\.description),
            isServing: purpose == .serving, isEncrypted: settings.tls != .off, authorityCertificate: network?.authorityCertificate)
        HubAPI(
            APIServices(
                identity: identity, store: store, repositories: repositories, access: community.access, git: gitService, lfs: lfs,
                objects: objects, imports: imports, importQueue: importQueue, trust: trust, site: facts)
        ).addRoutes(to: router)
        responder = router.buildResponder()
    }

    /// Answers a request that did not come by network, as the owner of the data directory.
    package func respond(_ request: Request, as principal: Principal) async throws -> Response {
        let source = HubRequestSource(logger: logger, origin: externalAddresses.main, principal: principal)
        return try await responder.respond(to: request, context: HubContext(source: source))
    }

    /// The port of the first network address, once bound; for tests and for `--listen host:0`.
    package var port: Int? { network?.listeners.lazy.compactMap(\.port).first }

    /// Where the verbs come in.
    package var controlSocket: String { folder.file("control.sock") }

    /// Serves until SIGTERM or SIGINT, then lets transfers end and closes the stores.
    package func run() async throws {
        guard let network else { preconditionFailure("a hub opened for a verb does not serve") }
        let responder = responder
        let server = network.server { request, context in try await responder.respond(to: request, context: context) }
        var services: [any Service] = [
            ObjectSweeper(lfs: lfs, logger: logger), XetMaintenance(xet: xet, logger: logger),
            RepositoryMaintenance(git: gitService, logger: logger), FactsIndexer(facts: facts, logger: logger),
            SyncFeedRecorder(store: store, git: gitService, logger: logger), importQueue, MemoryReturn(), server,
        ]
        services += community.services(
            webhooks: WebhookSender(group: MultiThreadedEventLoopGroup.singleton), logger: logger)
        if let watcher = network.certificateWatcher { services.append(watcher) }
        logger.notice(
            "The hub is ready at \(externalAddresses.main)", metadata: ["data": "\(folder.path)", "process.id": "\(getpid())"])
        let group = ServiceGroup(
            configuration: .init(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quietLogger))
        do {
            try await group.run()
        } catch {
            await close()
            throw error
        }
        await close()
        logger.notice("The hub has stopped")
    }

    /// Closes the stores; nothing may be asked of the hub afterwards.
    package func close() async {
        await objects.close()
        do {
            try await packSender.stop()
            try await gitThreads.stop()
            try store.close()
        } catch {
            logger.warning("A store did not close cleanly: \(error)")
        }
    }

    /// The service group's own messages are of no interest to an operator.
    private var quietLogger: Logger {
        var quiet = logger
        quiet.logLevel = max(.warning, logger.logLevel)
        return quiet
    }

    /// Bytes were lost on their way to the disk: nobody can tell what is stored, so nothing more may be acknowledged.
    private static func end(after failure: StorageFailure) {
        Logger(label: "csghub").critical("Storage failed, the hub ends: \(failure). Check the disk, then start it again.")
        // As the database does in this case; a service manager may start the hub again.
        _exit(75)
    }
}
