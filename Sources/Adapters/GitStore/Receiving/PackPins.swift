import HubCore
import Synchronization

/// Packs whose files must stay because their row may be on its way.
///
/// A pack may be published while a sweeper removes the files of an older row that named it too. The pin is taken before
/// the files are looked at, and files are removed only with the table held and no pin on them.
final class PackPins: Sendable {
    struct Key: Hashable, Sendable {
        let repository: RepositoryUID
        let pack: PackID
    }

    private let counts = Mutex<[Key: Int]>([:])

    /// Keeps a pack's files until the pin goes.
    func pin(_ key: Key) -> PackPin {
        counts.withLock { $0[key, default: 0] += 1 }
        return PackPin(key, in: self)
    }

    fileprivate func unpin(_ key: Key) {
        counts.withLock { counts in
            let left = (counts[key] ?? 1) - 1
            counts[key] = left > 0 ? left : nil
        }
    }

    /// Runs `remove` unless the pack is pinned; nobody can pin it meanwhile.
    ///
    /// - Returns: whether it ran.
    func removing<Failure: Error>(_ key: Key, _ remove: () throws(Failure) -> Void) throws(Failure) -> Bool {
        try counts.withLock { (counts) throws(Failure) in
            guard counts[key] == nil else { return false }
            try remove()
            return true
        }
    }
}

/// Keeps a pack's files for as long as somebody holds it.
final class PackPin: Sendable {
    private let key: PackPins.Key
    private let pins: PackPins

    fileprivate init(_ key: PackPins.Key, in pins: PackPins) {
        self.key = key
        self.pins = pins
    }

    deinit { pins.unpin(key) }
}
