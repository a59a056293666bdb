import Community
import HTTPTypes
import HubCore
import Hummingbird
import Identity
import NIOCore
import Repositories
import WebCore

/// Serves git's smart HTTP protocol; passes on what is no git address. Source: *git `gitprotocol-http(5)`*.
package struct GitHTTPMiddleware: RouterMiddleware {
    package typealias Context = HubContext

    /// An inflated upload-pack request may have this many bytes of packets: room for a million wants.
    static let maximumRequestBytes = 100 << 20

    private let identity: Identity
    private let git: GitService
    private let proposals: UploadProposals
    private let pullRequests: PullRequests
    private let uploadPack: UploadPackResponder
    private let receivePack: ReceivePackResponder

    package init(identity: Identity, git: GitService, lfs: LFSService, pullRequests: PullRequests) {
        self.identity = identity
        self.git = git
        proposals = lfs.proposals
        self.pullRequests = pullRequests
        uploadPack = UploadPackResponder(git: git)
        receivePack = ReceivePackResponder(git: git, pullRequests: pullRequests)
    }

    package func handle(
        _ request: Request, context: HubContext, next: (Request, HubContext) async throws -> Response
    ) async throws -> Response {
        guard let address = GitAddress(path: request.uri.path) else {
            return try await next(request, context)
        }
        if case .lfs = address.service { return try await next(request, context) }
        do {
            return try await respond(to: request, address: address, context: context)
        } catch {
            return GitProblemResponse.make(for: error, in: context)
        }
    }

    private func respond(to request: Request, address: GitAddress, context: HubContext) async throws -> Response {
        switch (address.service, request.method) {
        case (.infoRefs, .get): return try await advertise(request, address: address, context: context)
        case (.uploadPack, .post): return try await upload(request, address: address, context: context)
        case (.receivePack, .post): return try await receive(request, address: address, context: context)
        case (.dumb, _): throw GitHTTPError.dumbProtocol
        case (.infoRefs, _), (.uploadPack, _), (.receivePack, _): throw GitHTTPError.method
        case (.lfs, _): throw GitHTTPError.dumbProtocol
        }
    }

    private func advertise(_ request: Request, address: GitAddress, context: HubContext) async throws -> Response {
        guard let name = request.uri.queryParameters["service"] else { throw GitHTTPError.dumbProtocol }
        guard let service = GitService.Name(rawValue: String(name)) else { throw GitHTTPError.unknownService }
        let repository: Repository
        switch service {
        case .uploadPack: (repository, _) = try await open(address, for: .readContent, request: request, context: context)
        case .receivePack: (repository, _) = try await openForPush(address, request: request, context: context)
        }
        let version = ProtocolVersion(header: request.headers[.gitProtocol])
        var buffer = ByteBuffer()
        if service == .uploadPack, version == .v2 {
            UploadPackV2.writeAdvertisement(to: &buffer)
        } else {
            let listing = ReferenceListing(state: try await git.references(of: repository))
            buffer.writePktLine("# service=\(service.rawValue)\n")
            buffer.writeFlush()
            if version == .v1 { buffer.writePktLine("version 1\n") }
            switch service {
            case .uploadPack: listing.writeUploadPackAdvertisement(to: &buffer)
            case .receivePack: listing.writeReceivePackAdvertisement(to: &buffer)
            }
        }
        return GitResponse.make(ResponseBody(byteBuffer: buffer), type: "application/x-\(service.rawValue)-advertisement")
    }

    private func upload(_ request: Request, address: GitAddress, context: HubContext) async throws -> Response {
        try requireType(request, "application/x-git-upload-pack-request")
        let (repository, principal) = try await open(address, for: .readContent, request: request, context: context)
        var body = try GitRequestBody(request)
        let lines = try await body.allPackets(limit: Self.maximumRequestBytes)
        let fairKey = fairKey(principal, context)
        let answer: ResponseBody
        do {
            answer =
                try await ProtocolVersion(header: request.headers[.gitProtocol]) == .v2
                ? uploadPack.respondV2(lines, repository: repository, fairKey: fairKey)
                : uploadPack.respondV0(lines, repository: repository, fairKey: fairKey)
        } catch let refusal as any Refusal {
            // git shows an ERR packet as `fatal: remote error: …`; it would not show the text of a status.
            answer = ResponseBody(byteBuffer: GitResponse.error(refusal.problem.message))
        }
        return GitResponse.make(answer, type: "application/x-git-upload-pack-result")
    }

    private func receive(_ request: Request, address: GitAddress, context: HubContext) async throws -> Response {
        try requireType(request, "application/x-git-receive-pack-request")
        let (repository, principal) = try await openForPush(address, request: request, context: context)
        let answer = try await receivePack.respond(
            body: try GitRequestBody(request), repository: repository,
            caller: Caller(principal, address: context.remoteAddress), fairKey: fairKey(principal, context))
        return GitResponse.make(answer, type: "application/x-git-receive-pack-result")
    }

    /// For those who may write, and for those who have an open pull request there; `ReceivePackResponder` judges each ref.
    private func openForPush(
        _ address: GitAddress, request: Request, context: HubContext
    ) async throws -> (Repository, Principal) {
        let (repository, principal) = try await open(address, for: .read, request: request, context: context)
        if try await pullRequests.hasOwn(in: repository, by: principal), let account = principal.account {
            // The large files come before the commits that name them.
            proposals.note(account.id, in: repository.id)
        } else {
            try await identity.require(.write, on: repository, by: principal)
        }
        return (repository, principal)
    }

    private func open(
        _ address: GitAddress, for action: RepositoryAction, request: Request, context: HubContext
    ) async throws -> (Repository, Principal) {
        let principal = try await identity.principal(of: request, in: context, door: .git)
        return (try await identity.repository(address.reference, for: action, by: principal), principal)
    }

    /// Pack computations queue by account, or by address for those who have not signed in.
    private func fairKey(_ principal: Principal, _ context: HubContext) -> String {
        principal.account?.name.key ?? context.remoteAddress
    }

    private func requireType(_ request: Request, _ type: String) throws {
        guard request.headers[.contentType] == type else { throw GitHTTPError.mediaType(type) }
    }
}

extension GitService {
    /// The services of the smart protocol.
    enum Name: String {
        case uploadPack = "git-upload-pack"
        case receivePack = "git-receive-pack"
    }
}

/// The protocol version that a client asks for: `Git-Protocol: version=2`. Unknown keys are ignored; the highest known wins.
enum ProtocolVersion: Int {
    case v0, v1, v2

    init(header: String?) {
        let versions = (header ?? "").split(separator: ":").compactMap { item in
            item.hasPrefix("version=") ? Int(item.dropFirst("version=".count)) : nil
        }
        self = versions.compactMap(ProtocolVersion.init(rawValue:)).max { $0.rawValue < $1.rawValue } ?? .v0
    }
}

extension HTTPField.Name {
    static let gitProtocol = literal("Git-Protocol")
}
