import FoundationEssentials
import Glibc
import HubCore
import NIOCore

/// A xorb on its way into a temporary file: decoded, hashed and written chunk by chunk.
///
/// Used by one job at a time.
///
/// Unchecked: `FileObjectStore.putXorb` awaits each job before it starts the next.
final class IncomingXorb: @unchecked Sendable {
    private static let writeBytes = 1 << 20

    private let path: String
    private let decoder: XorbDecoder
    /// `nil` when the xorb is stored already: the bytes are hashed only.
    private var file: OpenFile?
    /// Raw bytes that are not written yet.
    private var pending: [UInt8] = []
    private var writtenBytes: Int64 = 0

    init(path: String, keepsBytes: Bool) throws {
        self.path = path
        decoder = try XorbDecoder()
        file = keepsBytes ? try OpenFile.creating(path) : nil
        if keepsBytes { pending.reserveCapacity(Self.writeBytes + XetLimits.chunkBytes) }
    }

    deinit { discard() }

    /// Takes a piece of the body; returns how many raw bytes it brought.
    func append(_ piece: [ByteBuffer]) throws -> Int64 {
        let before = decoder.rawBytes
        for buffer in piece {
            try buffer.withUnsafeReadableBytes { bytes in
                try decoder.feed(bytes) { raw in
                    guard file != nil else { return }
                    pending.append(contentsOf: raw)
                    if pending.count >= Self.writeBytes { try flush() }
                }
            }
        }
        return Int64(decoder.rawBytes - before)
    }

    /// Ends the xorb; on success its file is durable under its temporary name.
    func finish(expected: XetHash) throws -> (chunkCount: Int, rawBytes: Int) {
        let actual = try decoder.finish()
        guard actual == expected else { throw XetFormatError.wrongXorbHash(expected: expected, actual: actual) }
        if let file {
            try flush()
            let tail = XorbLayout.tail(of: decoder.chunks, rawBytes: decoder.rawBytes, source: nil)
            try tail.withUnsafeBytes { try file.write($0, at: writtenBytes) }
            guard fchmod(file.descriptor, 0o440) == 0 else { throw FileFault(operation: "fchmod", code: errno) }
            try file.sync()
        }
        return (decoder.chunks.count, decoder.rawBytes)
    }

    /// Gives the file its final name.
    func rename(to target: String) throws {
        guard file != nil else { return }
        guard Glibc.rename(path, target) == 0 else { throw FileFault.outOfSpaceOr("rename", errno) }
        file = nil
    }

    private func flush() throws {
        guard let file, !pending.isEmpty else { return }
        try pending.withUnsafeBytes { try file.write($0, at: writtenBytes) }
        let end = writtenBytes + Int64(pending.count)
        try file.startWriteback(writtenBytes..<end)
        writtenBytes = end
        pending.removeAll(keepingCapacity: true)
    }

    /// Removes the temporary file, if there is one.
    func discard() {
        guard file != nil else { return }
        // A file that cannot be removed is removed by the next start.
        _ = unlink(path)
        file = nil
    }
}
