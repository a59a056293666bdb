import CLibGit2
import HubCore

/// Names objects by the SHA-1 that detects collision attacks, which libgit2 contains and git itself uses.
///
/// Only libgit2's public functions are called. It answers an attack with an error, so such an object is refused.
enum ObjectHasher {
    /// libgit2 must be set up once before any call.
    static let setUp: Void = {
        git_libgit2_init()
    }()

    /// The name of an object that is in memory.
    static func name(of type: GitObjectType, _ bytes: UnsafeRawBufferPointer) throws(GitStoreError) -> GitOID {
        setUp
        var oid = git_oid()
        let result = git_odb_hash(&oid, bytes.baseAddress, bytes.count, type.libgit2Type)
        guard result == 0 else { throw collision(type) }
        return GitOID(oid)
    }

    static func name(of type: GitObjectType, _ bytes: [UInt8]) throws(GitStoreError) -> GitOID {
        var result: Result<GitOID, GitStoreError> = .success(.zero)
        bytes.withUnsafeBytes { buffer in
            do throws(GitStoreError) { result = .success(try name(of: type, buffer)) } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }

    static func collision(_ type: GitObjectType) -> GitStoreError {
        .malformed("a \(type.name) carries the marks of a SHA-1 collision attack")
    }
}

/// Names one object whose bytes come in pieces, for what is too large to hold.
///
/// libgit2 hashes what passes through an object database's write stream. The database here has a single backend that
/// stores nothing. Used by one thread from init to `finish`, as libgit2 reports errors by thread.
final class ObjectHashStream {
    private let type: GitObjectType
    private let database: OpaquePointer
    private let stream: UnsafeMutablePointer<git_odb_stream>

    init(_ type: GitObjectType, sizeBytes: Int) {
        ObjectHasher.setUp
        self.type = type
        var opened: OpaquePointer?
        guard git_odb_new(&opened) == 0, let database = opened else { fatalError("out of memory") }
        var stream: UnsafeMutablePointer<git_odb_stream>?
        guard git_odb_add_backend(database, NullBackend.make(), 1) == 0,
            git_odb_open_wstream(&stream, database, git_object_size_t(sizeBytes), type.libgit2Type) == 0, let stream
        else { fatalError("libgit2 could not open a stream that stores nothing") }
        self.database = database
        self.stream = stream
    }

    deinit {
        git_odb_stream_free(stream)
        git_odb_free(database)
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(GitStoreError) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        guard git_odb_stream_write(stream, start.assumingMemoryBound(to: CChar.self), bytes.count) == 0 else {
            throw .malformed("an object is longer than its header says")
        }
    }

    func finish() throws(GitStoreError) -> GitOID {
        var oid = git_oid()
        // The stream answers success even when the hash found an attack; only the thread's last error tells.
        git_error_clear()
        guard git_odb_stream_finalize_write(&oid, stream) == 0 else {
            throw .malformed("an object is shorter than its header says")
        }
        if let error = git_error_last(), error.pointee.klass == Int32(GIT_ERROR_SHA.rawValue) {
            throw ObjectHasher.collision(type)
        }
        return GitOID(oid)
    }
}

/// A backend of libgit2's object database that accepts a stream and keeps nothing of it.
private enum NullBackend {
    static func make() -> UnsafeMutablePointer<git_odb_backend> {
        let backend = UnsafeMutablePointer<git_odb_backend>.allocate(capacity: 1)
        backend.initialize(to: git_odb_backend())
        backend.pointee.version = UInt32(GIT_ODB_BACKEND_VERSION)
        backend.pointee.writestream = { result, backend, _, _ in
            let stream = UnsafeMutablePointer<git_odb_stream>.allocate(capacity: 1)
            stream.initialize(to: git_odb_stream())
            stream.pointee.backend = backend
            stream.pointee.mode = GIT_STREAM_WRONLY.rawValue
            stream.pointee.write = { _, _, _ in 0 }
            stream.pointee.finalize_write = { _, _ in 0 }
            stream.pointee.free = { $0?.deallocate() }
            result?.pointee = stream
            return 0
        }
        backend.pointee.free = { $0?.deallocate() }
        return backend
    }
}

extension GitObjectType {
    fileprivate var libgit2Type: git_object_t {
        switch self {
        case .commit: GIT_OBJECT_COMMIT
        case .tree: GIT_OBJECT_TREE
        case .blob: GIT_OBJECT_BLOB
        case .tag: GIT_OBJECT_TAG
        }
    }
}

extension GitOID {
    fileprivate init(_ oid: git_oid) {
        self = withUnsafeBytes(of: oid) { bytes in
            bytes.baseAddress.map { GitOID(bytes: $0) } ?? .zero
        }
    }
}
