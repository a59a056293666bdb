/// A first tick after a tenth of `interval`, then one every `interval`.
package struct AsyncTicks: AsyncSequence, Sendable {
    private let interval: Duration

    package init(interval: Duration) { self.interval = interval }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let interval: Duration
        private var isFirst = true

        fileprivate init(interval: Duration) { self.interval = interval }

        package mutating func next() async -> Void? {
            let wait = isFirst ? interval / 10 : interval
            isFirst = false
            do { try await Task.sleep(for: wait) } catch { return nil }
            return ()
        }
    }

    package func makeAsyncIterator() -> Iterator { Iterator(interval: interval) }
}
