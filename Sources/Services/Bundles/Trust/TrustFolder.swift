import BundleFormat
import Glibc
import HubCore

/// A folder with lists of keys in files `*.json`: the settings folder's `trust/`, or that of a user.
///
/// Who may write to the folder decides about trust: a list of keys is trusted because it lies there.
package struct TrustFolder: Sendable {
    private static let maximumFiles = 1000
    package let path: String

    package init(_ path: String) { self.path = path }

    /// The lists of each publisher, by version; they follow one another.
    /// - Throws: `TrustError` for files that are no lists of keys or do not follow.
    package func chains() throws -> [String: [TrustRoot]] {
        var chains: [String: [TrustRoot]] = [:]
        for name in try names() {
            let root = try TrustRoot.read(file: "\(path)/\(name)")
            chains[root.publisher, default: []].append(root)
        }
        for (publisher, roots) in chains {
            let sorted = roots.sorted { $0.version < $1.version }
            try sorted.first?.checkOwnSignatures()
            for (former, root) in zip(sorted, sorted.dropFirst()) { try root.checkFollows(former) }
            chains[publisher] = sorted
        }
        return chains
    }

    /// Adds lists of one publisher.
    package func add(_ roots: [TrustRoot]) throws {
        try DurableFile.makeFolder(path, mode: 0o755)
        for root in roots { try DurableFile.write(file(root), root.bytes, mode: 0o644) }
    }

    /// Takes the lists of a publisher away.
    /// - Returns: whether there were any.
    package func remove(_ publisher: String) throws -> Bool {
        var found = false
        for name in try names() {
            guard try TrustRoot.read(file: "\(path)/\(name)").publisher == publisher else { continue }
            guard unlink("\(path)/\(name)") == 0 else {
                throw BundleError.inaccessible(path: "\(path)/\(name)", code: errno)
            }
            found = true
        }
        return found
    }

    private func file(_ root: TrustRoot) -> String { "\(path)/\(root.publisher).\(TrustRoot.fileName(root.version))" }

    private func names() throws -> [String] {
        guard let stream = opendir(path) else {
            if errno == ENOENT { return [] }
            throw BundleError.inaccessible(path: path, code: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasSuffix(".json"), !name.hasPrefix(".") else { continue }
            names.append(name)
            guard names.count <= Self.maximumFiles else {
                throw BundleError.tooLarge(what: path, limit: "\(Self.maximumFiles) files")
            }
        }
        return names.sorted()
    }
}
