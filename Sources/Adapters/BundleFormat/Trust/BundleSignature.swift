import Glibc
import HubCore

/// `BUNDLE.dsse.json`: who signed a bundle, and the lists of keys that came with it.
package struct BundleSignature: Sendable {
    package static let fileName = "BUNDLE.dsse.json"
    package static let predicateType = "urn:csghub:hubbundle:v1"

    package var envelope: DSSEEnvelope
    /// `trust/root.<N>.json` of the medium, by version; proof of nothing by themselves.
    package var roots: [TrustRoot]
    /// Where `root.1.json` lies, for messages.
    package var rootFile: String?

    package init(envelope: DSSEEnvelope, roots: [TrustRoot], rootFile: String? = nil) {
        self.envelope = envelope
        self.roots = roots.sorted { $0.version < $1.version }
        self.rootFile = rootFile
    }

    /// Signs a manifest.
    package static func envelope(for manifest: BundleManifest, bytes: [UInt8], keys: [SigningKey]) throws(SigningError)
        -> DSSEEnvelope
    {
        let statement = InTotoStatement(
            subject: BundleManifest.fileName, sha256: DocumentDigest.sha256(bytes), predicateType: predicateType,
            predicate: .object([
                JSONMember("publisher", .string(manifest.publisher)), JSONMember("stream", .string(manifest.stream)),
                JSONMember("sequence", .integer(manifest.sequence)),
            ]))
        var envelope = DSSEEnvelope(payloadType: DSSEEnvelope.inToto, payload: statement.canonicalBytes)
        for key in keys { try envelope.sign(with: key) }
        return envelope
    }

    /// Checks that what was signed is these bytes.
    /// - Returns: the publisher that the signers name, so that a manifest need not be parsed before it is trusted.
    @discardableResult
    package func checkSubject(_ manifestBytes: [UInt8]) throws(TrustError) -> String {
        let statement: InTotoStatement
        // A statement that cannot be read is as good as another's.
        do throws(SigningError) { statement = try InTotoStatement(parsing: envelope, file: Self.fileName) } catch { throw .otherContent }
        guard statement.subject == BundleManifest.fileName, statement.predicateType == Self.predicateType,
            statement.sha256 == DocumentDigest.sha256(manifestBytes), let publisher = statement.predicate["publisher"]?.string,
            BundleManifest.isName(publisher)
        else { throw .otherContent }
        guard !envelope.signatures.isEmpty else { throw .unsigned }
        return publisher
    }
}

extension BundleSignature {
    /// Reads the signature and the lists of keys of a bundle's folder.
    /// - Throws: `TrustError` for what is there and wrong or missing, `BundleError` when the medium fails.
    package static func read(folder: String) throws -> BundleSignature {
        let bytes = try signatureBytes(folder: folder)
        var roots: [TrustRoot] = []
        for version in 1...TrustRoot.maximumVersion {
            guard let root = try TrustRoot.read(folder: "\(folder)/trust", version: version) else { continue }
            roots.append(root)
        }
        return try BundleSignature(parsing: bytes, roots: roots, folder: folder)
    }

    private static func signatureBytes(folder: String) throws -> [UInt8] {
        do throws(BundleError) {
            return try Media.contents(of: "\(folder)/\(fileName)", name: fileName, limit: DSSEEnvelope.maximumBytes)
        } catch {
            switch error {
            case .inaccessible(_, let code) where code == ENOENT: throw TrustError.unsigned
            case .tooLarge: throw TrustError.otherContent
            default: throw error
            }
        }
    }

    /// The same from documents that are read already.
    /// - Parameters:
    ///   - documents: `BUNDLE.dsse.json` and `trust/root.<N>.json` by their paths in the bundle's folder; others are left alone.
    ///   - folder: for commands in messages.
    package init(documents: [String: [UInt8]], folder: String) throws(TrustError) {
        guard let bytes = documents[Self.fileName] else { throw .unsigned }
        var roots: [TrustRoot] = []
        for (name, bytes) in documents where name.hasPrefix("trust/root.") && name.hasSuffix(".json") {
            let root = try TrustRoot(parsing: bytes, file: name)
            guard name == "trust/" + TrustRoot.fileName(root.version) else {
                throw .invalidRoot(file: name, reason: "its version is \(root.version)")
            }
            roots.append(root)
        }
        try self.init(parsing: bytes, roots: roots, folder: folder)
    }

    private init(parsing bytes: [UInt8], roots: [TrustRoot], folder: String) throws(TrustError) {
        let parsed: DSSEEnvelope
        // Unreadable is as good as another's.
        do throws(SigningError) { parsed = try DSSEEnvelope(parsing: bytes, file: Self.fileName) } catch {
            throw .otherContent
        }
        let first = roots.map(\.version).min()
        self.init(envelope: parsed, roots: roots, rootFile: first.map { "\(folder)/trust/\(TrustRoot.fileName($0))" })
    }
}

extension TrustRoot {
    /// The list with this version in a folder, `nil` when there is none.
    package static func read(folder: String, version: Int) throws -> TrustRoot? {
        let name = fileName(version)
        guard let bytes = try contents(of: "\(folder)/\(name)", name: name) else { return nil }
        let root = try TrustRoot(parsing: bytes, file: name)
        guard root.version == version else {
            throw TrustError.invalidRoot(file: name, reason: "its version is \(root.version)")
        }
        return root
    }

    /// Reads a list of keys from a file.
    package static func read(file path: String) throws -> TrustRoot {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        guard let bytes = try contents(of: path, name: name) else {
            throw BundleError.inaccessible(path: path, code: ENOENT)
        }
        return try TrustRoot(parsing: bytes, file: name)
    }

    /// `nil` when there is no such file.
    private static func contents(of path: String, name: String) throws -> [UInt8]? {
        do throws(BundleError) {
            return try Media.contents(of: path, name: name, limit: maximumBytes)
        } catch {
            switch error {
            case .inaccessible(_, let code) where code == ENOENT || code == ENOTDIR: return nil
            case .tooLarge:
                throw TrustError.invalidRoot(file: name, reason: "it is longer than \(maximumBytes >> 10) KiB")
            default: throw error
            }
        }
    }
}
