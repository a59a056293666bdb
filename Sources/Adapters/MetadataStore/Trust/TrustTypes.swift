import FoundationEssentials
import HubCore

/// What is stored of a publisher of bundles; what the documents say is known to those who read them.
package struct StoredPublisher: Hashable, Sendable {
    package struct Root: Hashable, Sendable {
        package let version: Int
        /// The signed document.
        package let document: [UInt8]
        package let acceptedAt: Date
    }

    package struct Withdrawal: Hashable, Sendable {
        package let at: Date
        package let reason: String
    }

    package let name: String
    /// This hub itself.
    package let isOwn: Bool
    package let addedAt: Date
    package let withdrawal: Withdrawal?
    /// By version.
    package let roots: [Root]
}

/// A key that an administrator revoked.
package struct StoredRevocation: Hashable, Sendable {
    package let keyID: ObjectID
    package let reason: String
    package let revokedAt: Date
}

/// The number of a bundle that is being published, for the ratchet of each key that signed it.
package struct SequenceMark: Hashable, Sendable {
    package let publisher: String
    package let stream: String
    package let keyIDs: [ObjectID]
    package let sequence: Int64
    /// The bundle's id.
    package let bundle: String

    package init(publisher: String, stream: String, keyIDs: [ObjectID], sequence: Int64, bundle: String) {
        self.publisher = publisher
        self.stream = stream
        self.keyIDs = keyIDs
        self.sequence = sequence
        self.bundle = bundle
    }
}

/// The last bundle of a stream that a key signed and that was published here.
package struct StoredSequence: Hashable, Sendable {
    package let publisher: String
    package let stream: String
    package let keyID: ObjectID
    package let sequence: Int64
    package let bundle: String
    package let raisedAt: Date
}
