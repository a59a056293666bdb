import Glibc
import HubCore

/// Who handled a bundle, one after the other, as the statements beside its manifest say.
///
/// It decides nothing about the content: that stands or falls with the bundle's own signature.
package struct CustodyChain: Hashable, Sendable {
    /// By number, as far as each follows from the one before.
    package let statements: [CustodyStatement]
    /// Why the chain is not whole, for people; `nil` when it is.
    package let fault: String?

    /// Checks the statements of one medium.
    ///
    /// - Parameters:
    ///   - documents: files by their paths in the bundle's folder; those that are no statements are left alone.
    ///   - isExpected: the manifest says that there was a first step, so that a bundle without statements was stripped of them.
    package init(_ documents: [String: [UInt8]], manifest: ObjectID, isExpected: Bool) {
        let prefix = CustodyStatement.folder + "/"
        let files = documents.filter { $0.key.hasPrefix(prefix) && CustodyStatement.isFileName(String($0.key.dropFirst(prefix.count))) }
            .sorted { $0.key < $1.key }
        var statements: [CustodyStatement] = []
        var fault: String?
        for file in files {
            let name = String(file.key.dropFirst(prefix.count))
            do throws(SigningError) {
                let statement = try CustodyStatement(parsing: file.value, file: name)
                fault = Self.fault(statement, after: statements.last, manifest)
                if fault == nil { statements.append(statement) }
            } catch {
                fault = error.problem.message
            }
            if fault != nil { break }
        }
        if files.isEmpty, isExpected { fault = "The statements of custody that the manifest speaks of are not on the medium." }
        self.init(statements: statements, fault: fault)
    }

    private init(statements: [CustodyStatement], fault: String?) {
        self.statements = statements
        self.fault = fault
    }

    private static func fault(_ statement: CustodyStatement, after former: CustodyStatement?, _ manifest: ObjectID) -> String? {
        let number = (former?.number ?? 0) + 1
        if statement.manifest != manifest { return "The statement \(statement.fileName) is about another bundle." }
        if statement.number > number { return "The statement of custody before \(statement.fileName) is missing." }
        if statement.number < number { return "There are two statements of custody with the number \(statement.number)." }
        if statement.previous != former?.digest {
            return "The statement \(statement.fileName) does not follow from \(former?.fileName ?? "nothing"): one of the two was changed."
        }
        return nil
    }

    /// The chain of a bundle whose media were looked at one by one: a step may have been written to some of them only.
    package static func joined(_ chains: [CustodyChain]) -> CustodyChain {
        // A medium without statements takes nothing from the others.
        let longest = chains.max { ($0.statements.count, $0.fault == nil ? 1 : 0) < ($1.statements.count, $1.fault == nil ? 1 : 0) }
        guard let longest else { return CustodyChain(statements: [], fault: nil) }
        guard longest.fault == nil else { return longest }
        for chain in chains {
            if let fault = chain.fault, !chain.statements.isEmpty { return CustodyChain(statements: longest.statements, fault: fault) }
            guard chain.statements.elementsEqual(longest.statements.prefix(chain.statements.count)) else {
                return CustodyChain(statements: longest.statements, fault: "The media of the bundle bring different statements of custody.")
            }
        }
        return longest
    }

    /// The statements on a medium, by their paths in the bundle's folder; not read further than their limits.
    package static func documents(folder: String) throws(BundleError) -> [String: [UInt8]] {
        var names: [String] = []
        do throws(BundleError) {
            names = try Media.names(in: "\(folder)/\(CustodyStatement.folder)")
        } catch {
            // Most bundles of other tools have none.
            guard case .inaccessible(_, let code) = error, code == ENOENT || code == ENOTDIR else { throw error }
        }
        var documents: [String: [UInt8]] = [:]
        for name in names.filter(CustodyStatement.isFileName).prefix(CustodyStatement.maximumCount + 1) {
            let path = "\(CustodyStatement.folder)/\(name)"
            do throws(BundleError) {
                documents[path] = try Media.contents(of: "\(folder)/\(path)", name: path, limit: CustodyStatement.maximumBytes)
            } catch {
                switch error {
                // A statement that cannot be one is judged as that; a medium that fails is not.
                case .tooLarge, .inaccessible: documents[path] = []
                default: throw error
                }
            }
        }
        return documents
    }

    /// What the audit log keeps.
    package var text: String { Self.text(statements) }

    package static func text(_ statements: [CustodyStatement]) -> String {
        statements.map { "\($0.text) (key \(Fingerprint.short($0.key.keyID)), SHA-256 \($0.digest))" }.joined(separator: "; ")
    }
}

extension BundleLocation {
    /// The statements of custody on this medium.
    package func custody() throws(BundleError) -> CustodyChain {
        CustodyChain(
            try CustodyChain.documents(folder: folder), manifest: BundleDigest.hash(manifestBytes), isExpected: !manifest.custody.isEmpty)
    }
}
