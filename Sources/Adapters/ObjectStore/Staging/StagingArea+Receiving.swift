import FoundationEssentials
import Glibc
import HubCore
import NIOCore

/// A bundle that is sent by network lies in `medium/`, laid out as on a stick, until it is taken in from there.
extension StagingArea {
    package var hasReceived: Bool { access(mediumPath + "/BUNDLE.json", F_OK) == 0 }

    /// A small file as a whole.
    package func receive(_ bytes: [UInt8], as name: String) throws {
        try makeFolders(of: name)
        let path = "\(mediumPath)/\(name)"
        _ = unlink(path)
        let file = try OpenFile.creating(path)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        try file.sync()
    }

    package func receivedBytes(of name: String) throws -> Int64 {
        try OpenFile.status(of: "\(mediumPath)/\(name)").map { Int64($0.st_size) } ?? 0
    }

    /// - Throws: `ObjectStoreError.outOfSpace` when only what the hub keeps for itself is free.
    package func receive(_ piece: ByteBuffer, of name: String, at offset: Int64) throws {
        try space.reserve(Int64(piece.readableBytes))
        defer { space.release(Int64(piece.readableBytes)) }
        try makeFolders(of: name)
        let path = "\(mediumPath)/\(name)"
        let file = access(path, F_OK) == 0 ? try OpenFile.writing(path) : try OpenFile.creating(path)
        try piece.withUnsafeReadableBytes { try file.write($0, at: offset) }
    }

    package func syncReceived(_ name: String) throws {
        let path = "\(mediumPath)/\(name)"
        guard access(path, F_OK) == 0 else { return }
        try OpenFile.writing(path).sync()
    }

    /// What was taken in needs no room any more.
    package func removeReceived(volumes: [String]) throws {
        guard hasReceived else { return }
        for name in volumes where unlink("\(mediumPath)/\(name)") != 0 && errno != ENOENT {
            throw FileFault(operation: "unlink", code: errno)
        }
    }

    private func makeFolders(of name: String) throws {
        try Folder.make(mediumPath)
        var path = mediumPath
        for part in name.split(separator: "/").dropLast() {
            path += "/\(part)"
            try Folder.make(path)
        }
    }
}

extension FileObjectStore {
    /// Where all staging areas lie.
    package var importsPath: String { staging + "/imports" }
}
