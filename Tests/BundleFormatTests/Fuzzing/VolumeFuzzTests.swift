import Foundation
import HubCore
import HubTestSupport
import Testing

@testable import BundleFormat

extension HostileBytes {
    /// Mutated volumes and frames; `Fuzz` says how a failing case is repeated.
    @Suite("Mutated volumes")
    struct VolumeFuzzTests {
        @Test("a volume is refused, or gives the bytes that were signed")
        func volume() throws {
            let golden = try GoldenBundle(1)
            let volume = golden.manifest.volumes[0]
            let reader = try golden.reader()
            let contents = try reader.index.entries.indices.map { try reader.content($0) }
            let samples = try [golden.file("vol/000001.tar"), GoldenBundle(2).file("vol/000001.tar")]
            let folder = try TemporaryFolder("fuzz")
            let path = folder.file("volume")
            let tokens = ["ustar\u{0}00", "0000644", "00000000000", "77777777777", "../../etc/passwd", "INDEX.json", "25 size=12345678901\n", "PaxHeaders"]
            var whole = 0
            try Fuzz("volume", share: 1500).run { one in
                try Data(one.mutation(of: samples, tokens: tokens)).write(to: URL(filePath: path))
                let reader: VolumeReader
                do throws(BundleError) { reader = try VolumeReader(path: path, volume: volume) } catch { return }
                for (n, expected) in contents.enumerated() {
                    var bytes: [UInt8] = []
                    do { try reader.readContent(n) { bytes.append(contentsOf: $0) } } catch is BundleError { continue }
                    #expect(bytes == expected, "\(one)")
                    whole += 1
                }
                do throws(BundleError) { try reader.checkEnd() } catch {}
            }
            #expect(whole > 0 || ProcessInfo.processInfo.environment["CSGHUB_CASE"] != nil)
        }

        @Test("a tar header has the size that the same header would be written for")
        func tarHeader() throws {
            let samples = [0, 1, 511, 512, 1 << 20, 1 << 33].map { TarHeader.bytes(name: "INDEX.json", size: $0) }
            try Fuzz("tar", share: 1000).run { one in
                let header = Array(one.mutation(of: samples, tokens: ["77777777777", "00000000000", "INDEX.json", "ustar"]).prefix(512))
                guard let size = TarHeader.plainSize(of: header, name: "INDEX.json") else { return }
                #expect(TarHeader.bytes(name: "INDEX.json", size: size) == header, "\(one)")
            }
        }

        @Test("a frame is refused, or gives its content; never more than is signed, whatever its header promises")
        func frame() throws {
            let texts = [
                Array(String(repeating: "abcdefgh ", count: 300).utf8), Array(String(repeating: "{\"row\": 1}\n", count: 9000).utf8),
                Content.bytes(3000, seed: 5) + [UInt8](repeating: 7, count: 60_000),
            ]
            let frames = try texts.map { text in try #require(text.withUnsafeBytes { LZ4Frame.compress($0) }) }
            var right = 0
            try Fuzz("lz4", share: 2500).run { one in
                let n = one.below(frames.count)
                var frame = one.mutation(of: [frames[n], frames[n], frames[one.below(frames.count)]], tokens: ["\u{4}\"M\u{18}", "\u{0}\u{0}\u{0}\u{0}"])
                // A bomb has a header in order: the promise is changed and its checksum put right.
                if one.below(3) == 0 { Self.mendHeader(&frame) }
                let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
                defer { piece.deallocate() }
                let length = one.below(8) == 0 ? one.below(200_000) : texts[n].count
                var content: [UInt8] = []
                do {
                    try frame.withUnsafeBytes { try LZ4Frame.decompress($0, length: Int64(length), into: { piece }) { content.append(contentsOf: $0) } }
                    #expect(texts.contains(content), "\(one)")
                    right += 1
                } catch is LZ4Fault {}
                #expect(content.count <= length, "\(one)")
            }
            #expect(right > 0 || ProcessInfo.processInfo.environment["CSGHUB_CASE"] != nil)
        }

        @Test("a header that was put right is one that LZ4 believes")
        func mendedHeader() throws {
            let text = Array(String(repeating: "abcdefgh ", count: 300).utf8)
            let frame = try #require(text.withUnsafeBytes { LZ4Frame.compress($0) })
            var mended = frame
            mended[14] = 0
            Self.mendHeader(&mended)
            #expect(mended == frame)
        }

        /// Computes the checksum of a frame's header with a content size: `FLG BD size` and then one byte.
        private static func mendHeader(_ frame: inout [UInt8]) {
            guard frame.count > 15 else { return }
            frame[14] = UInt8(truncatingIfNeeded: hash(Array(frame[4..<14])) >> 8)
        }

        /// XXH32 of less than 16 bytes with the seed 0 (*xxHash `doc/xxhash_spec.md`*).
        private static func hash(_ bytes: [UInt8]) -> UInt32 {
            let primes: [UInt32] = [2_654_435_761, 2_246_822_519, 3_266_489_917, 668_265_263, 374_761_393]
            func turned(_ value: UInt32, _ bits: UInt32) -> UInt32 { value << bits | value >> (32 - bits) }
            var value = primes[4] &+ UInt32(bytes.count)
            var rest = bytes[...]
            while rest.count >= 4 {
                let word = rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                value = turned(value &+ word &* primes[2], 17) &* primes[3]
                rest = rest.dropFirst(4)
            }
            for byte in rest { value = turned(value &+ UInt32(byte) &* primes[4], 11) &* primes[0] }
            value = (value ^ value >> 15) &* primes[1]
            value = (value ^ value >> 13) &* primes[2]
            return value ^ value >> 16
        }
    }
}
