import HubCore

/// The header of a safetensors file: how many elements of which type it holds.
///
///     <8 bytes: length of the header, little-endian> {"__metadata__":{…},"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},…}
///
/// Source: safetensors `README.md`, "Format". A header has at most `maximumBytes`, as in huggingface_hub's `_safetensors.py`; the
/// length must fit the file, counts must fit 63 bits, names of types are at most 16 characters and there are at most 32 of them.
package struct SafetensorsHeader: Hashable, Sendable {
    package static let maximumBytes: Int64 = 25_000_000
    static let maximumTypes = 32

    /// Elements by type.
    package var parameters: [String: Int64] = [:]
    package var tensorCount = 0
    /// Bytes of the header in the file.
    package let headerBytes: Int64

    package static func read(_ source: some ByteSource) async throws -> SafetensorsHeader {
        guard source.sizeBytes >= 8 else { throw FormatError("A safetensors file has at least 8 bytes.") }
        let prefix = try await source.read(0..<8)
        let length = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(maximumBytes) else {
            throw FormatError("The safetensors header says that it has \(length) bytes; at most \(maximumBytes) are read.")
        }
        guard Int64(length) <= source.sizeBytes - 8 else { throw FormatError("The safetensors header is longer than its file.") }
        return try SafetensorsHeader(json: try await source.read(8..<8 + Int64(length)))
    }

    init(json: [UInt8]) throws(FormatError) {
        headerBytes = Int64(json.count)
        let parsed: Result<([String: Int64], Int), FormatError> = json.withUnsafeBufferPointer { buffer in
            var reader = HeaderReader(scanner: JSONScanner(buffer))
            do throws(FormatError) {
                try reader.read()
                return .success((reader.parameters, reader.tensorCount))
            } catch {
                return .failure(error)
            }
        }
        (parameters, tensorCount) = try parsed.get()
    }

    /// Adds what another shard holds.
    package mutating func add(_ other: SafetensorsHeader) throws(FormatError) {
        for (name, count) in other.parameters { try Self.add(count, to: name, in: &parameters) }
        tensorCount += other.tensorCount
    }

    package var facts: SafetensorsFacts {
        let sorted = parameters.sorted { $0.key < $1.key }.map { SafetensorsFacts.DType(name: $0.key, count: $0.value) }
        // Each count is bounded so that the sum of all fits.
        return SafetensorsFacts(parameters: sorted, total: sorted.reduce(0) { $0 + $1.count })
    }

    fileprivate static func add(_ count: Int64, to name: String, in parameters: inout [String: Int64]) throws(FormatError) {
        let sum = parameters[name, default: 0].addingReportingOverflow(count)
        guard !sum.overflow, sum.partialValue <= Int64.max / Int64(maximumTypes) else {
            throw FormatError("The safetensors header counts more elements than can be.")
        }
        parameters[name] = sum.partialValue
        guard parameters.count <= maximumTypes else { throw FormatError("The safetensors header has too many types.") }
    }
}

/// Reads the header without keeping the names of its tensors.
private struct HeaderReader {
    var scanner: JSONScanner
    var parameters: [String: Int64] = [:]
    var tensorCount = 0

    mutating func read() throws(FormatError) {
        try scanner.beginObject()
        while let name = try scanner.nextKey() {
            if name == "__metadata__" { try scanner.skipValue() } else { try readTensor() }
        }
        try scanner.end()
    }

    private mutating func readTensor() throws(FormatError) {
        var type: String?
        var count: Int64?
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            switch key {
            case "dtype": type = try scanner.shortString(maximumBytes: 16)
            case "shape": count = try product()
            default: try scanner.skipValue()
            }
        }
        guard let type, let count else { throw FormatError("A tensor of the safetensors header has no dtype or no shape.") }
        tensorCount += 1
        try SafetensorsHeader.add(count, to: type, in: &parameters)
    }

    private mutating func product() throws(FormatError) -> Int64 {
        var product: Int64 = 1
        try scanner.beginArray()
        while try scanner.hasElement() {
            let side = try scanner.natural()
            let result = product.multipliedReportingOverflow(by: side)
            guard !result.overflow else { throw FormatError("A tensor of the safetensors header is larger than can be.") }
            product = result.partialValue
        }
        return product
    }
}
