import BundleFormat
import GitStore
import HubCore
import MetadataStore
import NIOCore
import ObjectStore

/// The signatures of a model's files that a bundle brings, checked against the commit that they speak of.
struct ImportModelSignature: Sendable {
    /// `model.sig`, for messages.
    let name: String
    let bytes: [UInt8]

    /// What the signatures of a repository prove.
    ///
    /// - Parameters:
    ///   - keys: those that sign models for the publisher. A signature by somebody else is carried and proves nothing here.
    ///   - objects: those of the repository with what the bundle brings.
    /// - Returns: `nil` where there are none.
    /// - Throws: `ImportError.wrongModelSignature` where the publisher signed other files than the commit has.
    static func check(
        _ signatures: [ImportModelSignature], of repository: BundleRepository, keys: [SignerKey], in objects: GitObjects
    ) throws -> ImportReport.ModelSignature? {
        guard !signatures.isEmpty else { return nil }
        guard let commit = repository.signedCommit else { return .unchecked }
        var result = ImportReport.ModelSignature.unknownKey
        var files: [(path: String, sha256: ObjectID)]?
        for signature in signatures {
            // That of another signer is told apart by not being by one of these keys.
            let content = keys.lazy.compactMap { try? ModelSignature.verify(signature.bytes, key: $0, file: signature.name) }.first
            guard let content else { continue }
            if files == nil { files = try ModelRevision.files(of: commit, in: objects) }
            // Parts of files, and links, are not what git has the hashes of.
            guard let files, content.shardBytes == nil else {
                result = .unchecked
                continue
            }
            let differences = content.differences(from: files)
            guard differences.isEmpty else {
                throw ImportError.wrongModelSignature(
                    repository: repository.reference.description, file: signature.name,
                    differences: differences.prefix(3).map(\.message), count: differences.count)
            }
            return .verified
        }
        return result
    }
}

extension BundleImporter {
    private static let maximumModelSignatures = 4

    /// Those to check; of more than four the others are carried unchecked.
    func modelSignatures(of repository: BundleRepository, area: StagingArea) async throws -> [ImportModelSignature] {
        var signatures: [ImportModelSignature] = []
        let files = repository.attachments.filter { $0.format == BundleRepository.Attachment.modelSignature }
        // Each is held whole, at most 64 MiB; a publisher has one, and an upstream one beside it.
        for file in files.prefix(Self.maximumModelSignatures) {
            signatures.append(ImportModelSignature(name: file.name, bytes: try await content(of: file, area: area)))
        }
        return signatures
    }

    /// The bytes of an attachment, which an earlier try or another bundle may have brought to the store already.
    private func content(of file: BundleRepository.Attachment, area: StagingArea) async throws -> [UInt8] {
        let staged: [UInt8]? = try await objects.stage {
            guard try area.has(file.sha256, sizeBytes: file.sizeBytes) else { return nil }
            var bytes: [UInt8] = []
            try area.read(file.sha256, 0..<file.sizeBytes) { bytes += $0 }
            return bytes
        }
        if let staged { return staged }
        var bytes: [UInt8] = []
        for try await piece in try await objects.open(file.sha256).read(0..<file.sizeBytes, pieceBytes: 1 << 20) {
            bytes += piece.readableBytesView
        }
        return bytes
    }
}
