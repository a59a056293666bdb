import Foundation

/// Contents that tests write and compare.
///
/// They are made from a seed, so that a failure can be repeated.
package enum Content {
    private static let blockBytes = 1 << 20

    /// Writes a file that no compressor makes smaller: a random block, and in each copy of it a counter every 4 KiB.
    package static func write(to path: String, bytes: Int, seed: UInt64 = 1) throws {
        try write(to: path, header: [], bytes: bytes, seed: seed)
    }

    /// Writes a valid safetensors file with one tensor, `bytes` long in all.
    package static func writeSafetensors(to path: String, bytes: Int, seed: UInt64 = 1) throws {
        let rows = (bytes - 128) / 1024
        var header = #"{"weight":{"dtype":"U8","shape":[\#(rows),1024],"data_offsets":[0,\#(rows * 1024)]}}"#
        let padded = bytes - rows * 1024 - 8
        header += String(repeating: " ", count: padded - header.utf8.count)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
        try write(to: path, header: length + Array(header.utf8), bytes: bytes, seed: seed)
    }

    /// The bytes that `write` writes, for small files.
    package static func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var generator = SplitMix(state: seed)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }

    /// Changes bits of one byte of a file; the same again puts it right.
    package static func flip(_ path: String, at offset: Int, mask: UInt8 = 0x40) throws {
        let file = try FileHandle(forUpdating: URL(filePath: path))
        try file.seek(toOffset: UInt64(offset))
        let byte = try file.read(upToCount: 1)?.first ?? 0
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: Data([byte ^ mask]))
        try file.close()
    }

    /// SHA-256 of a file, by openssl.
    package static func sha256(of path: String) throws -> String {
        let output = try CommandOutput.of(["openssl", "dgst", "-sha256", "-r", path])
        return String(output.line.prefix(64))
    }

    private static func write(to path: String, header: [UInt8], bytes: Int, seed: UInt64) throws {
        try Data(header).write(to: URL(filePath: path))
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.seekToEnd()
        var block = Content.bytes(min(blockBytes, max(bytes, 1)), seed: seed)
        var left = bytes - header.count
        var counter = seed
        while left > 0 {
            for offset in stride(from: 0, to: block.count - 8, by: 4096) {
                counter &+= 1
                for index in 0..<8 { block[offset + index] = UInt8(truncatingIfNeeded: counter >> (8 * UInt64(index))) }
            }
            try file.write(contentsOf: Data(block.prefix(left)))
            left -= min(left, block.count)
        }
        try file.close()
    }
}

/// SplitMix64: small, fast, and the same on every machine.
package struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
