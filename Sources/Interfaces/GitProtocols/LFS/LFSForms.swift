import FoundationEssentials
import HubCore
import MetadataStore

/// The JSON of Git LFS: *git-lfs `docs/api/batch.md`*, *`locking.md`*. Fields that are `nil` are left out, as the client expects.
enum LFSForms {
    static let mediaType = "application/vnd.git-lfs+json"

    struct BatchRequest: Decodable {
        struct Object: Decodable {
            let oid: String
            let size: Int64
        }
        let operation: String
        let transfers: [String]?
        let objects: [Object]
        let hash_algo: String?
        /// Whether it has `upload_id`, be it `null`.
        let namesUpload: Bool

        private enum CodingKeys: CodingKey {
            case operation, transfers, objects, hash_algo, upload_id
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            operation = try container.decode(String.self, forKey: .operation)
            transfers = try container.decodeIfPresent([String].self, forKey: .transfers)
            objects = try container.decode([Object].self, forKey: .objects)
            hash_algo = try container.decodeIfPresent(String.self, forKey: .hash_algo)
            namesUpload = container.contains(.upload_id)
        }
    }

    struct BatchAnswer: Encodable {
        let transfer: String
        let objects: [Object]
        let hash_algo = "sha256"

        struct Object: Encodable {
            let oid: String
            let size: Int64
            var authenticated: Bool?
            var actions: [String: Action]?
            var error: Failure?
        }

        struct Action: Encodable {
            let href: String
            var header: [String: String]?
            let expires_in: Int
        }

        struct Failure: Encodable {
            let code: Int
            let message: String
        }
    }

    /// The body of a verification, and of `POST …/objects/verify` in general.
    struct ObjectReference: Decodable {
        let oid: String
        let size: Int64
    }

    /// The end of an upload in parts. Source: huggingface_hub `lfs.py`, `_get_completion_payload`.
    struct Completion: Decodable {
        struct Part: Decodable {
            let partNumber: Int
            let etag: String
        }
        let oid: String
        let parts: [Part]
    }

    struct LockRequest: Decodable {
        let path: String
        let ref: Ref?
    }

    struct UnlockRequest: Decodable {
        let force: Bool?
    }

    struct VerifyRequest: Decodable {
        let cursor: String?
        let limit: Int?
    }

    struct Ref: Decodable {
        let name: String?
    }

    struct LockForm: Encodable {
        struct Owner: Encodable {
            let name: String
        }
        let id: String
        let path: String
        let locked_at: Date
        let owner: Owner

        init(_ lock: Lock) {
            id = lock.id.description
            path = lock.path
            locked_at = lock.lockedAt
            owner = Owner(name: lock.ownerName.text)
        }
    }

    struct LockAnswer: Encodable {
        let lock: LockForm
        var message: String?
    }

    struct LockList: Encodable {
        let locks: [LockForm]
        let next_cursor: String?
    }

    struct LockVerification: Encodable {
        let ours: [LockForm]
        let theirs: [LockForm]
        let next_cursor: String?
    }

    struct Failure: Encodable {
        let message: String
        let request_id: String
        var documentation_url: String?
    }
}
