/// One page of a list, and where the next begins.
package struct Page<Item: Sendable>: Sendable {
    package let items: [Item]
    /// What to pass as `after` for the next page; `nil` on the last one.
    ///
    /// Opaque to callers.
    package let next: String?

    package init(items: [Item], next: String?) {
        self.items = items
        self.next = next
    }

    package func map<Other: Sendable>(_ transform: (Item) throws -> Other) rethrows -> Page<Other> {
        Page<Other>(items: try items.map(transform), next: next)
    }
}

/// A field of a change: left as it is, or set.
package enum Change<Value: Sendable>: Sendable {
    case keep
    case set(Value)

    package var value: Value? {
        switch self {
        case .keep: nil
        case .set(let value): value
        }
    }

    package var isSet: Bool {
        switch self {
        case .keep: false
        case .set: true
        }
    }
}

extension Change: Equatable where Value: Equatable {}
