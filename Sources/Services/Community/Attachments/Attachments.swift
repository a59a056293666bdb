import HubCore
import Identity
import MetadataStore
import NIOCore
import ObjectStore

/// Pictures, films and sounds in discussions.
///
/// An attachment is uploaded before the text that shows it, so at first only its owner sees it. A text of the owner that mentions its
/// address opens it to whoever may read the repository of that discussion. What no text mentions within a day is removed.
package struct Attachments: Sendable {
    /// How many attachments that no text mentions an account may have.
    static let maximumUnused = 100

    private let store: MetadataStore
    private let objects: FileObjectStore
    private let identity: Identity

    package init(store: MetadataStore, objects: FileObjectStore, identity: Identity) {
        self.store = store
        self.objects = objects
        self.identity = identity
    }

    /// Stores an attachment while it arrives; durable when it returns.
    ///
    /// - Parameters:
    ///   - mediaType: what the sender says it is; the first bytes must agree.
    ///   - sizeBytes: what the sender says, to refuse it before it comes.
    package func receive<Body: AsyncSequence & Sendable>(
        _ mediaType: String?, sizeBytes: Int64?, body: Body, by caller: Caller
    ) async throws -> DiscussionAttachment where Body.Element == ByteBuffer {
        let account = try identity.requireContributor(caller.principal)
        guard let type = mediaType.flatMap(Self.type) else { throw AttachmentError.unknownType }
        if let sizeBytes, sizeBytes > type.maximumBytes { throw AttachmentError.tooLarge(limit: type.maximumBytes) }
        let stored = try await objects.put(nil, sizeBytes: sizeBytes, body: CheckedAttachment(base: body, type: type))
        return try await store.createAttachment(
            stored.id, sizeBytes: stored.sizeBytes, type: type, account: account.id, maximumUnused: Self.maximumUnused,
            audit: caller.entry("attachment.create", on: account.name.text, ["type": type.rawValue, "object": stored.id.hex]))
    }

    /// `image/png; charset=x` is `image/png`.
    private static func type(_ text: String) -> AttachmentType? {
        AttachmentType(rawValue: text.prefix { $0 != ";" }.lowercased().trimmed)
    }

    /// The attachment, if the one who asks uploaded it or may read a repository whose discussions mention it.
    package func find(_ publicID: String, by principal: Principal) async throws -> DiscussionAttachment {
        if let attachment = try await store.attachment(publicID), try await maySee(attachment, principal) { return attachment }
        // An address that nobody guesses is hidden all the same from who was told it and has no right.
        if principal == .anonymous { throw IdentityError.signInRequired(tokenPage: identity.settings.tokenPage) }
        throw AttachmentError.notFound
    }

    private func maySee(_ attachment: DiscussionAttachment, _ principal: Principal) async throws -> Bool {
        switch principal {
        case .localAdministrator: return true
        case .account(let account) where account.id == attachment.account && !account.isDisabled: return true
        // A token for some repositories sees what their discussions show.
        case .token(let token, of: let account)
        where account.id == attachment.account && !account.isDisabled && token.repositories == nil: return true
        case .anonymous, .account, .token: break
        }
        for repository in try await store.repositories(mentioning: attachment.id) {
            if try await identity.may(.read, on: repository, by: principal) { return true }
        }
        return false
    }

    package func open(_ attachment: DiscussionAttachment) async throws -> FileObjectReader {
        do {
            return try await objects.open(attachment.object)
        } catch ObjectStoreError.missing {
            // The row says that it is there: the file was lost.
            throw ObjectStoreError.damaged(attachment.object)
        }
    }
}

/// The bytes of an attachment as they come, refused when they are too many or begin like another format.
private struct CheckedAttachment<Base: AsyncSequence & Sendable>: AsyncSequence, Sendable where Base.Element == ByteBuffer {
    typealias Element = ByteBuffer

    let base: Base
    let type: AttachmentType

    func makeAsyncIterator() -> Iterator { Iterator(base: base.makeAsyncIterator(), type: type) }

    struct Iterator: AsyncIteratorProtocol {
        var base: Base.AsyncIterator
        let type: AttachmentType
        private var start: [UInt8] = []
        private var receivedBytes: Int64 = 0

        init(base: Base.AsyncIterator, type: AttachmentType) {
            self.base = base
            self.type = type
        }

        mutating func next() async throws -> ByteBuffer? {
            let isKnown = start.count == AttachmentType.signatureBytes
            guard let piece = try await base.next() else {
                guard isKnown else { throw AttachmentError.otherContent(type) }
                return nil
            }
            receivedBytes += Int64(piece.readableBytes)
            guard receivedBytes <= type.maximumBytes else { throw AttachmentError.tooLarge(limit: type.maximumBytes) }
            if !isKnown {
                start += piece.readableBytesView.prefix(AttachmentType.signatureBytes - start.count)
                if start.count == AttachmentType.signatureBytes, !type.isBegun(by: start) {
                    throw AttachmentError.otherContent(type)
                }
            }
            return piece
        }
    }
}

/// Why an attachment was refused.
package enum AttachmentError: Error, Equatable {
    case notFound
    case unknownType
    case otherContent(AttachmentType)
    case tooLarge(limit: Int64)
}

extension AttachmentError: Refusal {
    package var problem: Problem {
        switch self {
        case .notFound: Problem(.missing, code: "attachment_not_found", "There is no such attachment.")
        case .unknownType:
            Problem(
                .invalid, code: "unknown_attachment_type",
                "An attachment is a picture (PNG, JPEG, GIF, WebP), a film (MP4, MOV, WebM) or a sound (MP3, WAV); say which in "
                    + "Content-Type.")
        case .otherContent(let type):
            Problem(.invalid, code: "other_content", "The content is not what its Content-Type says: \(type.rawValue).")
        case .tooLarge(let limit):
            Problem(.tooLarge, code: "attachment_too_large", "An attachment of this type has at most \(limit / 1_000_000) MB.")
        }
    }
}
