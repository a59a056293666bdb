import FoundationEssentials
import HubCore

package typealias AttachmentID = Identifier<DiscussionAttachment>

/// A picture, a film or a sound that somebody uploaded to show it in discussions.
package struct DiscussionAttachment: Hashable, Sendable, Identifiable {
    package let id: AttachmentID
    /// 32 hex digits that nobody guesses.
    package let publicID: String
    /// Who uploaded it; `nil` once the account is gone.
    package let account: AccountID?
    package let object: ObjectID
    package let sizeBytes: Int64
    package let type: AttachmentType
    package let createdAt: Date
}

/// What attachments may be: the formats that *huggingface_hub* `HfApi.upload_attachment` sends.
package enum AttachmentType: String, Hashable, Sendable, CaseIterable {
    case png = "image/png"
    case jpeg = "image/jpeg"
    case gif = "image/gif"
    case webp = "image/webp"
    case mp4 = "video/mp4"
    case quicktime = "video/quicktime"
    case webm = "video/webm"
    case mp3 = "audio/mpeg"
    case wav = "audio/wav"

    package var isImage: Bool { rawValue.hasPrefix("image/") }
    package var isVideo: Bool { rawValue.hasPrefix("video/") }
    /// The client promises these bounds to its users.
    package var maximumBytes: Int64 { isVideo ? 50_000_000 : 10_000_000 }

    /// How names of such files end.
    package var ending: String {
        switch self {
        case .png: "png"
        case .jpeg: "jpg"
        case .gif: "gif"
        case .webp: "webp"
        case .mp4: "mp4"
        case .quicktime: "mov"
        case .webm: "webm"
        case .mp3: "mp3"
        case .wav: "wav"
        }
    }

    /// How many bytes at the beginning tell what a file is.
    package static let signatureBytes = 12

    /// Whether a file that begins with these bytes is of this type.
    package func isBegun(by bytes: [UInt8]) -> Bool {
        guard bytes.count >= Self.signatureBytes else { return false }
        func has(_ text: String, at place: Int = 0) -> Bool { bytes.dropFirst(place).starts(with: text.utf8) }
        switch self {
        case .png: return bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
        case .jpeg: return bytes.starts(with: [0xff, 0xd8, 0xff])
        case .gif: return has("GIF87a") || has("GIF89a")
        case .webp: return has("RIFF") && has("WEBP", at: 8)
        case .mp4: return has("ftyp", at: 4)
        // Files older than the `ftyp` box begin with another one.
        case .quicktime: return ["ftyp", "moov", "mdat", "wide", "free", "skip"].contains { has($0, at: 4) }
        case .webm: return bytes.starts(with: [0x1a, 0x45, 0xdf, 0xa3])
        case .mp3: return has("ID3") || (bytes[0] == 0xff && bytes[1] & 0xe0 == 0xe0)
        case .wav: return has("RIFF") && has("WAVE", at: 8)
        }
    }
}

/// Why the store refused an attachment.
package enum AttachmentRecordError: Error, Equatable {
    case tooManyUnused(limit: Int)
}

extension AttachmentRecordError: Refusal {
    package var problem: Problem {
        switch self {
        case .tooManyUnused(let limit):
            Problem(
                .throttled, code: "too_many_attachments",
                "This account has \(limit) attachments that no discussion mentions; use some, or wait a day until they are removed.")
        }
    }
}
