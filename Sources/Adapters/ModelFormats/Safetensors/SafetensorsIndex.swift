import HubCore

/// `model.safetensors.index.json`: which shards a model has.
///
///     {"metadata":{"total_size":28966928384},"weight_map":{"lm_head.weight":"model-00002-of-00002.safetensors",…}}
package struct SafetensorsIndex: Hashable, Sendable {
    package static let maximumBytes: Int64 = 32 << 20
    package static let maximumShards = 2_000

    /// File names in the index's own folder, each once, sorted.
    package let shards: [String]

    package init(parsing bytes: [UInt8]) throws(FormatError) {
        let names: Result<Set<String>, FormatError> = bytes.withUnsafeBufferPointer { buffer in
            do throws(FormatError) { return .success(try Self.names(buffer)) } catch { return .failure(error) }
        }
        shards = try names.get().sorted()
        guard !shards.isEmpty else { throw FormatError("The index of shards names none.") }
    }

    private static func names(_ bytes: UnsafeBufferPointer<UInt8>) throws(FormatError) -> Set<String> {
        var names: Set<String> = []
        var scanner = JSONScanner(bytes)
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            guard key == "weight_map" else {
                try scanner.skipValue()
                continue
            }
            try scanner.beginObject()
            while try scanner.nextKey() != nil {
                let name = try scanner.shortString(maximumBytes: 255)
                guard !name.isEmpty, !name.contains("/"), !name.contains("\\") else {
                    throw FormatError("The index of shards names a file that is not beside it.")
                }
                names.insert(name)
                guard names.count <= maximumShards else { throw FormatError("The index names more than \(maximumShards) shards.") }
            }
        }
        return names
    }
}
