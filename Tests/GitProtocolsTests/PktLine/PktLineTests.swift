import Foundation
import HubCore
import NIOCore
import Testing

@testable import GitProtocols

@Suite("pkt-lines")
struct PktLineTests {
    private func decode(_ bytes: [UInt8], pieces: Int) throws -> [PktLine] {
        var decoder = PktLineDecoder()
        var lines: [PktLine] = []
        for piece in stride(from: 0, to: bytes.count, by: max(1, pieces)) {
            decoder.append(ByteBuffer(bytes: bytes[piece..<min(bytes.count, piece + pieces)]))
            while let line = try decoder.next() { lines.append(line) }
        }
        return lines
    }

    @Test("reads packets from pieces of any size", arguments: [1, 2, 3, 5, 7, 1000])
    func pieces(_ size: Int) throws {
        let lines = try decode(Array("0009done\n0000000100020004000Ahello\n".utf8), pieces: size)
        #expect(
            lines == [
                .data(ByteBuffer(string: "done\n")), .flush, .delimiter, .responseEnd, .data(ByteBuffer()),
                .data(ByteBuffer(string: "hello\n")),
            ])
        #expect(lines.last?.text == "hello")
    }

    @Test("refuses what is no length", arguments: ["zzzz", "0003", "fff5", "ffff", "00 9", "-001"])
    func refuses(_ text: String) {
        #expect(throws: PktLineError.invalidLength(text)) { try decode(Array(text.utf8) + [0, 0], pieces: 100) }
    }

    @Test("keeps what follows the packets")
    func remainder() throws {
        var decoder = PktLineDecoder()
        decoder.append(ByteBuffer(string: "0000PACK..."))
        #expect(try decoder.next() == .flush)
        #expect(String(buffer: decoder.takeRemainder()) == "PACK..." && decoder.isEmpty)
    }

    @Test("writes what it reads")
    func roundTrip() throws {
        var buffer = ByteBuffer()
        buffer.writePktLine("want \(String(repeating: "a", count: 40))\n")
        buffer.writeFlush()
        buffer.writeSideBand(1, ByteBuffer(repeating: 7, count: 200_000))
        let lines = try decode(Array(buffer.readableBytesView), pieces: 999)
        #expect(lines.count == 2 + 4 && lines[1] == .flush)
        let payload = lines[2...].compactMap { line -> Int? in
            guard case .data(let bytes) = line else { return nil }
            return bytes.readableBytes - 1
        }
        #expect(payload.reduce(0, +) == 200_000 && payload.allSatisfy { $0 <= PktLine.maximumSideBandBytes })
    }

    @Test("never fails but with its own error on changed bytes")
    func mutations() throws {
        let cases = ProcessInfo.processInfo.environment["CSGHUB_FULL_TESTS"] == "1" ? 100_000 : 5_000
        var buffer = ByteBuffer()
        for text in ["command=fetch\n", "thin-pack", "want \(String(repeating: "1", count: 40))\n", ""] { buffer.writePktLine(text) }
        buffer.writeFlush()
        let good = Array(buffer.readableBytesView)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<cases {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
            do {
                let lines = try decode(bytes, pieces: Int.random(in: 1...64, using: &random))
                let total = lines.reduce(0) { sum, line in
                    guard case .data(let payload) = line else { return sum + 4 }
                    return sum + payload.readableBytes + 4
                }
                #expect(total <= bytes.count, "\(bytes)")
            } catch is PktLineError {}
        }
    }
}

@Suite("git addresses")
struct GitAddressTests {
    @Test(
        "finds the repository and the service",
        arguments: [
            ("/models/ada/bert.git/info/refs", "models/ada/bert"), ("/datasets/ada/iris/info/refs", "datasets/ada/iris"),
            ("/ada/bert/info/refs", "models/ada/bert"), ("/hf/ada/bert.git/info/refs", "models/ada/bert"),
            ("/csg/spaces/ada/x.git/info/refs", "spaces/ada/x"), ("/codes/ada/x/info/refs", "codes/ada/x"),
        ])
    func finds(_ path: String, _ reference: String) throws {
        let address = try #require(GitAddress(path: path))
        #expect(address.reference.description == reference && address.service == .infoRefs)
    }

    @Test("passes on what is not git's", arguments: ["/", "/models/ada/bert", "/ada/bert", "/ada/bert/tree/main", "/api/models/info/x", "/ada/bert/objects/x"])
    func passes(_ path: String) { #expect(GitAddress(path: path) == nil) }

    @Test("knows LFS and the dumb protocol")
    func services() {
        #expect(GitAddress(path: "/ada/b.git/info/lfs/objects/batch")?.service == .lfs("objects/batch"))
        #expect(GitAddress(path: "/ada/b.git/HEAD")?.service == .dumb)
        #expect(GitAddress(path: "/models/ada/b.git/objects/info/packs")?.service == .dumb)
        #expect(GitAddress(path: "/models/ada/b.git/git-receive-pack")?.service == .receivePack)
    }
}
