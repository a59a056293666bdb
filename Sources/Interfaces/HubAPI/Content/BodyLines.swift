import HubCore
import Hummingbird
import NIOCore
import Repositories

/// Splits a request's body into lines without holding more than one, and bounds how many long ones the hub holds.
///
/// A line of more than `freeBytes` needs a place from there on until the caller is done with it. While it waits for one nothing
/// is read, so the client waits too. A client that would keep a place for longer than `maximumDuration` is refused, as it keeps
/// others out.
struct BodyLines {
    static let freeBytes = 256 << 10
    /// The longest line at 150 KiB a second.
    static let maximumDuration = Duration.seconds(300)

    private var pieces: RequestBody.AsyncIterator
    private let maximumBytes: Int
    private let places: ReceiveQueue
    private let key: String
    private let now: () -> ContinuousClock.Instant
    private var heldSince: ContinuousClock.Instant?
    private var buffered = ByteBuffer()
    private var searched = 0
    private var isAtEnd = false

    /// - Parameters:
    ///   - places: those for long lines, shared by all requests.
    ///   - key: who sends; the queue for places goes round these.
    init(
        _ body: RequestBody, maximumBytes: Int, places: ReceiveQueue, key: String,
        now: @escaping () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        pieces = body.makeAsyncIterator()
        self.maximumBytes = maximumBytes
        self.places = places
        self.key = key
        self.now = now
    }

    /// The next line that is not empty; `nil` after the last. The caller is done with the line before.
    mutating func next() async throws -> ByteBuffer? {
        giveBack()
        while true {
            if let line = takeLine() {
                if line.readableBytes > 0 { return line }
                continue
            }
            if isAtEnd { return takeRest() }
            guard buffered.readableBytes <= maximumBytes else {
                throw ProblemError(
                    .tooLarge, code: "line_too_long", "A line of the commit is longer than \(maximumBytes) bytes.")
            }
            if buffered.readableBytes > Self.freeBytes { try await holdPlace() }
            if var piece = try await pieces.next() {
                buffered.discardReadBytes()
                buffered.writeBuffer(&piece)
            } else {
                isAtEnd = true
            }
        }
    }

    /// Gives the place on, if the last line needed one. Call it when the last line is done with, or an error ends the request.
    mutating func giveBack() {
        guard heldSince != nil else { return }
        heldSince = nil
        places.leave(key)
    }

    private mutating func holdPlace() async throws {
        guard let heldSince else {
            try await places.enter(key)
            self.heldSince = now()
            return
        }
        guard heldSince.duration(to: now()) <= Self.maximumDuration else {
            throw ProblemError(
                .invalid, code: "line_too_slow",
                "A long line of the commit came too slowly; send the file as a large object, which can be resumed.")
        }
    }

    private mutating func takeLine() -> ByteBuffer? {
        let view = buffered.readableBytesView
        guard let end = view[(view.startIndex + searched)...].firstIndex(of: UInt8(ascii: "\n")) else {
            searched = view.count
            return nil
        }
        searched = 0
        let line = buffered.readSlice(length: end - view.startIndex)
        buffered.moveReaderIndex(forwardBy: 1)
        // What follows moves out of the long line's memory, which goes with the line.
        if heldSince != nil { buffered = ByteBuffer(bytes: buffered.readableBytesView) }
        return line
    }

    private mutating func takeRest() -> ByteBuffer? {
        defer { (buffered, searched) = (ByteBuffer(), 0) }
        return buffered.readableBytes > 0 ? buffered : nil
    }
}
