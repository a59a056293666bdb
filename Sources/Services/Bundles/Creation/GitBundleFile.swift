import BundleFormat
import Glibc
import HubCore

/// A git bundle on the local disk: what its header says (gitformat-bundle(5)) and its hash.
package struct GitBundleFile: Hashable, Sendable {
    package let path: String
    package let sizeBytes: Int64
    package let sha256: ObjectID
    package let prerequisites: [GitOID]
    /// Objects in its pack.
    package let objectCount: Int

    private static let maximumHeaderBytes = 64 << 20

    /// - Throws: `BundleError`, `CreationError.damagedWork` when it is no bundle of version 2.
    package init(path: String) throws {
        self.path = path
        let file = try BundleFile.reading(path, name: path)
        sizeBytes = try file.sizeBytes()
        var header: [UInt8] = []
        var end: Int?
        while end == nil, header.count < min(Self.maximumHeaderBytes, Int(sizeBytes)) {
            let count = min(64 << 10, Int(sizeBytes) - header.count)
            header += try file.read(count: count, at: Int64(header.count))
            end = Self.end(of: header)
        }
        guard let end, header.starts(with: Array("# v2 git bundle\n".utf8)) else { throw CreationError.damagedWork(path: path) }
        let lines = String(decoding: header[..<end], as: UTF8.self).split(separator: "\n")
        prerequisites = lines.filter { $0.hasPrefix("-") }.compactMap { GitOID(hex: $0.dropFirst().prefix(40)) }
        let pack = try file.read(count: 12, at: Int64(end))
        guard pack.starts(with: Array("PACK".utf8)) else { throw CreationError.damagedWork(path: path) }
        objectCount = pack[8..<12].reduce(0) { $0 << 8 | Int($1) }
        let digest = BundleDigest()
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { piece.deallocate() }
        var offset: Int64 = 0
        while offset < sizeBytes {
            let count = try file.readUpTo(piece, at: offset)
            guard count > 0 else { break }
            digest.update(UnsafeRawBufferPointer(rebasing: piece[..<count]))
            offset += Int64(count)
        }
        sha256 = digest.finish()
    }

    /// Where the empty line ends that ends the header.
    private static func end(of header: [UInt8]) -> Int? {
        guard header.count > 1 else { return nil }
        for index in 1..<header.count where header[index] == 0x0a && header[index - 1] == 0x0a { return index + 1 }
        return nil
    }
}
