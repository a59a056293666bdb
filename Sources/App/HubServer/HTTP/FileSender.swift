import Glibc
import NIOCore
import NIOHTTP1

/// Sends parts of files on the connection's event loop: by `sendfile(2)` in the clear; under TLS in small pieces that are read and
/// encrypted while they are in the processor's cache, as long as the socket takes them.
///
/// The parts must have been brought into memory before (`FileParts.next`), as reading them here would hold up the other
/// connections of the event loop. Measured against pieces that were read by other threads: a quarter of the CPU in the clear, and
/// no buffer that grows with slow readers.
final class FileSender: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// Four TLS records: large enough to make the system calls cheap, small enough for the processor's second cache.
    private static let encryptedPieceBytes = 64 << 10

    /// A part on its way.
    private struct Job {
        let descriptor: Int32
        var offset: Int64
        let end: Int64
        let done: EventLoopPromise<Void>
    }

    private let isEncrypted: Bool
    private var context: ChannelHandlerContext?
    /// The first is being sent.
    private var jobs: [Job] = []
    private var buffer = ByteBuffer()

    init(isEncrypted: Bool) { self.isEncrypted = isEncrypted }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        fail(ChannelError.ioOnClosedChannel)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(ChannelError.ioOnClosedChannel)
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { pump(context) }
        context.fireChannelWritabilityChanged()
    }

    /// Sends `part` of a file after what was written before; succeeds when the channel has taken it.
    func send(_ descriptor: Int32, _ part: Range<Int64>, done: EventLoopPromise<Void>) {
        guard let context else {
            done.fail(ChannelError.ioOnClosedChannel)
            return
        }
        guard isEncrypted else {
            sendFile(descriptor, part, done: done, context)
            return
        }
        jobs.append(Job(descriptor: descriptor, offset: part.lowerBound, end: part.upperBound, done: done))
        if jobs.count == 1, context.channel.isWritable { pump(context) }
    }

    private func sendFile(_ descriptor: Int32, _ part: Range<Int64>, done: EventLoopPromise<Void>, _ context: ChannelHandlerContext) {
        // The region's handle owns a descriptor; the content's own stays with the content.
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else {
            done.fail(IOError(errnoCode: errno, reason: "fcntl"))
            return
        }
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: copy)
        done.futureResult.whenComplete { _ in
            // It was open for reading only; a failure to close it loses nothing.
            try? handle.close()
        }
        let region = FileRegion(fileHandle: handle, readerIndex: Int(part.lowerBound), endIndex: Int(part.upperBound))
        context.writeAndFlush(wrapOutboundOut(.body(.fileRegion(region))), promise: done)
    }

    private func pump(_ context: ChannelHandlerContext) {
        while var job = jobs.first, context.channel.isWritable {
            let count = Int(min(Int64(Self.encryptedPieceBytes), job.end - job.offset))
            buffer.clear(minimumCapacity: Self.encryptedPieceBytes)
            let read = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
                max(0, pread(job.descriptor, bytes.baseAddress, count, Int(job.offset)))
            }
            guard read == count else {
                fail(IOError(errnoCode: EIO, reason: "pread"))
                return
            }
            job.offset += Int64(count)
            // Decided before the write, which may come back here.
            let isLast = job.offset == job.end
            if isLast { jobs.removeFirst() } else { jobs[0] = job }
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
            if isLast { job.done.succeed() }
        }
    }

    private func fail(_ error: any Error) {
        let failed = jobs
        jobs = []
        for job in failed { job.done.fail(error) }
    }
}
