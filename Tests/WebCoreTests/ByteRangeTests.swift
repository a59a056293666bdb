import Testing
import WebCore

@Suite("Byte ranges")
struct ByteRangeTests {
    @Test(
        "reads the Range header as RFC 9110 says",
        arguments: [
            (nil, 10, .whole), ("bytes=0-0", 10, .part(0..<1)), ("bytes=3-", 10, .part(3..<10)), ("bytes=-4", 10, .part(6..<10)),
            ("bytes=-40", 10, .part(0..<10)), ("bytes=5-99", 10, .part(5..<10)), ("bytes=9-9", 10, .part(9..<10)),
            ("bytes=10-", 10, .unsatisfiable), ("bytes=10-12", 10, .unsatisfiable), ("bytes=-0", 10, .unsatisfiable),
            ("bytes=0-", 0, .unsatisfiable), ("bytes=-1", 0, .unsatisfiable), ("bytes=4-3", 10, .whole),
            ("bytes=0-1,3-4", 10, .whole), ("lines=0-1", 10, .whole), ("bytes=a-b", 10, .whole), ("bytes=", 10, .whole),
            ("bytes=--1", 10, .whole), ("bytes=-", 10, .whole), ("bytes=1-2-3", 10, .whole), ("bytes=+1-2", 10, .whole),
            ("bytes=99999999999999999999-", 10, .unsatisfiable), ("bytes=0-99999999999999999999", 10, .part(0..<10)),
        ] as [(String?, Int64, ByteRange)])
    func reads(header: String?, size: Int64, expected: ByteRange) {
        #expect(ByteRange(header: header, ifRange: nil, etag: "\"e\"", sizeBytes: size) == expected)
    }

    @Test("sends the whole content when If-Range names another version")
    func ifRange() {
        #expect(ByteRange(header: "bytes=1-2", ifRange: "\"e\"", etag: "\"e\"", sizeBytes: 9) == .part(1..<3))
        #expect(ByteRange(header: "bytes=1-2", ifRange: "\"old\"", etag: "\"e\"", sizeBytes: 9) == .whole)
    }
}
