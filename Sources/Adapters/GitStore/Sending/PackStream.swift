import NIOCore

/// What a fetch answers with, piece by piece.
package enum PackEvent: Sendable {
    /// A line for the person who waits, as side-band 2 carries it; ends in `\n`, or in `\r` when the next replaces it.
    case progress(String)
    /// The next bytes of the pack, at most 1 MiB; in side-band packets when the stream was asked for those.
    case data(ByteBuffer)
    /// Nothing has happened for some seconds; tell the client that all is well.
    case keepAlive
}

/// How the data of a pack stream is laid out.
package enum PackFraming: Sendable, Hashable {
    /// The pack as it is.
    case none
    /// Packets of side-band 1: `fff0` and `0x01`, then up to 65,515 bytes of pack (git `gitprotocol-pack(5)`). They are read
    /// from disk right into place, which spares the caller a copy.
    case sideBand64k
}

/// A pack on its way to one client.
///
/// Read it once, by one task. Cancelling that task, or dropping the stream, stops the work that nobody else waits for.
package struct PackStream: AsyncSequence, Sendable {
    package typealias Element = PackEvent

    private let source: any PackEventSource

    init(_ source: any PackEventSource) { self.source = source }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: source) }

    package struct AsyncIterator: AsyncIteratorProtocol {
        let source: any PackEventSource

        package mutating func next() async throws -> PackEvent? {
            try Task.checkCancellation()
            return try await source.next()
        }
    }
}

/// Where the events of one stream come from: stored packs, or a pack in the making.
///
/// Asked by one task at a time.
protocol PackEventSource: AnyObject, Sendable {
    func next() async throws -> PackEvent?
}

/// A buffer for the next bytes of a pack, with room for the heads of side-band packets where they are wanted.
struct PackBlock {
    /// Of pack data in one packet, after four digits of length and the number of the band.
    private static let packetPayload = 65_515
    private static let packetHead = 5
    /// Of pack data in one block: half a MiB, as every client holds one or two of them.
    static func payloadBytes(_ framing: PackFraming) -> Int {
        switch framing {
        case .none: 512 << 10
        case .sideBand64k: 8 * packetPayload
        }
    }

    /// A block of `count` payload bytes, at least one, which `fill` writes region by region.
    ///
    /// - Parameter fill: Called with the regions in order; each must be filled whole.
    static func make(
        count: Int, framing: PackFraming, fill: (UnsafeMutableRawBufferPointer) throws(GitStoreError) -> Void
    ) throws(GitStoreError) -> ByteBuffer {
        let packets = framing == .none ? 0 : (count + packetPayload - 1) / packetPayload
        let total = count + packets * packetHead
        var buffer = ByteBufferAllocator().buffer(capacity: total)
        var failure: GitStoreError?
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: total) { room in
            do throws(GitStoreError) {
                try fillRegions(UnsafeMutableRawBufferPointer(rebasing: room[..<total]), framing: framing, fill: fill)
                return total
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return buffer
    }

    private static func fillRegions(
        _ room: UnsafeMutableRawBufferPointer, framing: PackFraming,
        fill: (UnsafeMutableRawBufferPointer) throws(GitStoreError) -> Void
    ) throws(GitStoreError) {
        guard framing == .sideBand64k else { return try fill(room) }
        var start = 0
        while start < room.count {
            let payload = min(packetPayload, room.count - start - packetHead)
            writeHead(
                payload + packetHead, to: UnsafeMutableRawBufferPointer(rebasing: room[start..<start + packetHead]))
            start += packetHead
            try fill(UnsafeMutableRawBufferPointer(rebasing: room[start..<start + payload]))
            start += payload
        }
    }

    private static func writeHead(_ length: Int, to room: UnsafeMutableRawBufferPointer) {
        for digit in 0..<4 {
            let value = UInt8(length >> (12 - 4 * digit) & 15)
            room[digit] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
        }
        room[4] = 1
    }
}
