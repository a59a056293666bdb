import Foundation

/// Something did not come about in time.
package struct WaitedInVain: Error, CustomStringConvertible {
    package let event: String
    package var description: String { "\(event) did not come about" }

    package init(event: String) { self.event = event }
}

/// Waits for what another process does and no handle tells of: a socket that listens, a file that appears.
///
/// It looks again every 10 ms, at most `seconds` long. What can be waited for directly is waited for directly.
package func waitFor(_ event: String, seconds: Int = 30, _ happened: () throws -> Bool) throws {
    for _ in 0..<(seconds * 100) {
        if try happened() { return }
        poll(nil, 0, 10)
    }
    throw WaitedInVain(event: event)
}
