import HubCore

/// A xorb that is stored, to be recorded.
package struct XorbRecord: Hashable, Sendable {
    package let hash: XetHash
    package let chunkCount: Int
    package let rawBytes: Int
    /// The object whose bytes its chunks are, if it has none of its own.
    package let source: ObjectID?

    package init(hash: XetHash, chunkCount: Int, rawBytes: Int, source: ObjectID?) {
        self.hash = hash
        self.chunkCount = chunkCount
        self.rawBytes = rawBytes
        self.source = source
    }
}

/// A xorb as it is recorded.
package struct RecordedXorb: Hashable, Sendable {
    package let hash: XetHash
    package let rawBytes: Int
    /// Whether an object is made of parts of it.
    package let isUsed: Bool
}

/// What is recorded of a xorb.
package enum XorbState: Hashable, Sendable {
    case unknown
    case stored
    /// It is being removed at this moment.
    case sweeping
}

/// An object with the name that Xet clients give it and the xorbs that hold its bytes, to be recorded.
package struct XetFileRecord: Sendable {
    package let hash: XetHash
    package let oid: ObjectID
    package let sizeBytes: Int64
    package let xorbs: [XetHash]
    package let landmarks: [XetLandmark]

    package init(hash: XetHash, oid: ObjectID, sizeBytes: Int64, xorbs: [XetHash], landmarks: [XetLandmark]) {
        self.hash = hash
        self.oid = oid
        self.sizeBytes = sizeBytes
        self.xorbs = xorbs
        self.landmarks = landmarks
    }
}

/// A chunk by which clients find what the hub has.
package struct XetLandmark: Hashable, Sendable {
    package let chunk: XetHash
    package let xorb: XetHash
    /// Its place in the xorb.
    package let index: Int

    package init(chunk: XetHash, xorb: XetHash, index: Int) {
        self.chunk = chunk
        self.xorb = xorb
        self.index = index
    }
}

/// Where a chunk with the asked beginning was found.
package struct XetLandmarkPlace: Hashable, Sendable {
    package let oid: ObjectID
    package let xorb: XetHash
    package let index: Int
}
