import HubCore

/// Deltas of changed files and folders against the version that the client has.
enum ThinDelta {
    /// Larger objects are sent as they are.
    static let maximumObjectBytes = 8 << 20
    /// How much one pack may spend on trying.
    static let maximumTotalBytes = 128 << 20
    /// Smaller objects gain less than the base's name costs.
    private static let minimumObjectBytes = 64

    /// A delta of at most half the object's size, or `nil`.
    static func make(
        _ number: ObjectNumber, from base: ObjectNumber, reader: ObjectReader, budget: inout Int
    ) throws(GitStoreError) -> [UInt8]? {
        let size = try reader.header(of: number).sizeBytes
        let baseSize = try reader.header(of: base).sizeBytes
        guard size >= minimumObjectBytes, size <= maximumObjectBytes, baseSize <= maximumObjectBytes,
            size / 32 <= baseSize
        else {
            return nil
        }
        budget -= size + baseSize
        let baseObject = try reader.load(base, limit: maximumObjectBytes)
        let baseType = baseObject.type
        // A copy, as the next read may take the memory.
        let baseBytes = Array(baseObject.bytes)
        let object = try reader.load(number, limit: maximumObjectBytes)
        guard object.type == baseType else { return nil }
        return baseBytes.withUnsafeBytes { Delta.make(from: $0, to: object.bytes, maximumBytes: size / 2) }
    }
}
