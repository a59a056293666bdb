/// A first tick after a tenth of `interval`, then one every `interval`.
struct AsyncTicks: AsyncSequence, Sendable {
    let interval: Duration

    struct Iterator: AsyncIteratorProtocol {
        let interval: Duration
        var isFirst = true

        mutating func next() async -> Void? {
            let wait = isFirst ? interval / 10 : interval
            isFirst = false
            do { try await Task.sleep(for: wait) } catch { return nil }
            return ()
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(interval: interval) }
}
