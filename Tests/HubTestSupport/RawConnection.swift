import Foundation

/// A bare connection to a port of this machine, for bytes that no well-behaved client sends.
package final class RawConnection {
    private let handle: Int32

    package init(port: Int) throws {
        handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard HubProcess.connectToLoopback(handle, port: port) else { throw WaitedInVain(event: "a connection") }
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(handle, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    package func send(_ text: String) throws { try send(Array(text.utf8)) }

    package func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(handle, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw WaitedInVain(event: "the sending of all bytes") }
            sent += count
        }
    }

    /// At most `limit` bytes of what comes next; fewer when the other side has closed.
    package func receive(_ limit: Int = 65_536) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = recv(handle, &bytes, limit, 0)
        return Array(bytes.prefix(max(count, 0)))
    }

    package func close() { shutdown(handle, Int32(SHUT_RDWR)) }

    deinit { Glibc.close(handle) }
}
