import HubCore
import NIOCore

/// One packet of git's protocols, as *git `gitprotocol-common(5)`* has it.
///
/// Four lower-case hex digits give the length, those four included: `0009done\n`. `0000` is a flush, `0001` a delimiter,
/// `0002` the end of a response; `0004` is an empty payload.
package enum PktLine: Equatable, Sendable {
    case data(ByteBuffer)
    case flush
    case delimiter
    case responseEnd

    /// The largest payload of one packet, in bytes.
    package static let maximumPayloadBytes = 65_516
    /// The largest payload after a side-band byte.
    package static let maximumSideBandBytes = 65_515

    /// The payload as text without its final line feed; `nil` for anything but data.
    package var text: String? {
        guard case .data(let payload) = self else { return nil }
        let line = String(buffer: payload)
        return line.hasSuffix("\n") ? String(line.dropLast()) : line
    }
}

/// Why bytes are not git's protocol.
package enum PktLineError: Error, Equatable {
    case invalidLength(String)
    case endsEarly
    case tooMany(limit: Int)
}

extension PktLineError: Refusal {
    package var problem: Problem {
        switch self {
        case .invalidLength(let text):
            Problem(.invalid, code: "invalid_pkt_line", "The request is not git's protocol: “\(text.shortened)” is no packet length.")
        case .endsEarly:
            Problem(.invalid, code: "incomplete_request", "The request ended in the middle of a packet.")
        case .tooMany(let limit):
            Problem(.tooLarge, code: "request_too_large", "The request has more than \(limit) bytes of packets.")
        }
    }
}

/// Takes packets out of a stream that arrives in pieces of any size.
package struct PktLineDecoder {
    private var pending = ByteBuffer()

    package init() {}

    package mutating func append(_ bytes: ByteBuffer) {
        var bytes = bytes
        if pending.readableBytes == 0 {
            pending = bytes
        } else {
            pending.discardReadBytes()
            pending.writeBuffer(&bytes)
        }
    }

    /// The next whole packet, or `nil` when more bytes are needed.
    package mutating func next() throws(PktLineError) -> PktLine? {
        guard let digits = pending.getBytes(at: pending.readerIndex, length: 4) else { return nil }
        var length = 0
        for digit in digits {
            guard let value = Hex.value(of: digit | 0x20) else {
                throw .invalidLength(String(decoding: digits, as: UTF8.self))
            }
            length = length << 4 | Int(value)
        }
        switch length {
        case 0: return take(.flush)
        case 1: return take(.delimiter)
        case 2: return take(.responseEnd)
        case 4...PktLine.maximumPayloadBytes + 4:
            guard pending.readableBytes >= length else { return nil }
            pending.moveReaderIndex(forwardBy: 4)
            guard let payload = pending.readSlice(length: length - 4) else { return nil }
            return .data(payload)
        default: throw .invalidLength(String(decoding: digits, as: UTF8.self))
        }
    }

    /// What follows the packets taken so far; nothing is left afterwards.
    package mutating func takeRemainder() -> ByteBuffer {
        defer { pending = ByteBuffer() }
        return pending.slice()
    }

    package var isEmpty: Bool { pending.readableBytes == 0 }

    private mutating func take(_ line: PktLine) -> PktLine {
        pending.moveReaderIndex(forwardBy: 4)
        return line
    }
}

extension ByteBuffer {
    /// `text` as one packet; the caller gives the line feed.
    package mutating func writePktLine(_ text: String) {
        writePktLength(text.utf8.count)
        writeString(text)
    }

    package mutating func writeFlush() { writeStaticString("0000") }
    package mutating func writeDelimiter() { writeStaticString("0001") }

    /// The bytes as side-band packets of `band` (1 data, 2 progress, 3 fatal error), none larger than `limit`.
    package mutating func writeSideBand(_ band: UInt8, _ payload: ByteBuffer, limit: Int = PktLine.maximumSideBandBytes) {
        var payload = payload
        while payload.readableBytes > 0, var slice = payload.readSlice(length: min(limit, payload.readableBytes)) {
            writePktLength(slice.readableBytes + 1)
            writeInteger(band)
            writeBuffer(&slice)
        }
    }

    package mutating func writeSideBand(_ band: UInt8, _ text: String, limit: Int = PktLine.maximumSideBandBytes) {
        writeSideBand(band, ByteBuffer(string: text), limit: limit)
    }

    private mutating func writePktLength(_ payloadBytes: Int) {
        let length = UInt32(payloadBytes + 4)
        for shift in stride(from: UInt32(12), through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: length >> shift & 15)
            writeInteger(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
