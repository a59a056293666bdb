import BundleFormat
import Foundation
import GitStore
import HubCore
import HubTestSupport
import Testing

@testable import Bundles

/// Mutated inventories and git bundles; `Fuzz` says how a failing case is repeated. Other tests of this process hold large arrays, so
/// memory is not measured here.
@Suite("Mutated inventories and git bundles", .serialized)
struct ReaderFuzzTests {
    @Test("an inventory is refused by a declared error, or says what it says once and for all")
    func inventory() throws {
        let (oid, name) = (try #require(GitOID(hex: String(repeating: "1", count: 40))), try #require(ReferenceName("refs/heads/main")))
        let sample = Inventory(
            site: "b", created: "2026-11-20T10:00:00Z",
            repositories: [
                .init(reference: .init(kind: .dataset, name: try RepositoryName(parsing: "ada/x")), refs: [.init(name: name, oid: oid)]),
                .init(reference: .init(kind: .model, name: try RepositoryName(parsing: "ada/y")), refs: []),
            ], objects: [BundleDigest.hash([1]), BundleDigest.hash([2])].sorted()
        ).canonicalBytes
        let tokens = ["{", "[", "]", "null", "\"objects\":[", "\"repos\":[{}]", "\"type\":\"code\"", "../", "[[[[[[[[[[[[[[[[[[", "\\u0000", "\"refs\":{}"]
        try Fuzz("inventory", share: 1500, maximumBytes: nil).run { one in
            let bytes = one.mutation(of: [sample], tokens: tokens)
            do {
                let inventory = try Inventory(parsing: bytes, file: "f")
                #expect(try Inventory(parsing: inventory.canonicalBytes, file: "f").repositories == inventory.repositories, "\(one)")
            } catch is any Refusal {}
        }
    }

    @Test("the header of a git bundle ends where it ends, in pieces of any size")
    func gitBundleHeader() throws {
        let oid = String(repeating: "a", count: 40)
        let samples = ["# v2 git bundle\n-\(oid) x\n\(oid) refs/heads/main\n\nPACK", "# v3 git bundle\n@object-format=sha1\n\(oid) refs/heads/main\n\nPACK"]
            .map { Array($0.utf8) }
        let tokens = ["\n", "\n\n", "-", "@object-format=sha256\n", "@filter=blob:none\n", "# v9 git bundle\n", oid]
        func parse(_ bytes: [UInt8], pieces: Int) -> (commits: [GitOID], rest: [UInt8])? {
            var header = GitBundleHeader()
            var rest: [UInt8] = []
            do throws(GitBundleHeader.Fault) {
                for start in stride(from: 0, to: bytes.count, by: pieces) {
                    rest += try header.append(bytes: Array(bytes[start..<min(start + pieces, bytes.count)]))
                }
            } catch { return nil }
            return header.isComplete ? (header.prerequisites, rest) : nil
        }
        try Fuzz("git-bundle", share: 1500, maximumBytes: nil).run { one in
            let bytes = one.mutation(of: samples, tokens: tokens)
            let (whole, pieces) = (parse(bytes, pieces: max(1, bytes.count)), parse(bytes, pieces: 1 + one.below(30)))
            #expect(whole?.commits == pieces?.commits && whole?.rest == pieces?.rest, "\(one)")
        }
    }
}

extension GitBundleHeader {
    fileprivate mutating func append(bytes: [UInt8]) throws(Fault) -> [UInt8] {
        let pointer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { pointer.deallocate() }
        pointer.copyBytes(from: bytes)
        return try append(UnsafeRawBufferPointer(pointer))
    }
}
