import HubCore

/// The metadata of a GGUF file, and the number of its elements from its tensor table.
///
///     "GGUF" <u32 version> <u64 tensors> <u64 pairs> (<string key> <u32 type> <value>)… (<string name> <u32 n> <u64 sides>… <u32 type> <u64 offset>)…
///
/// Source: ggml `docs/gguf.md`, versions 2 and 3, little-endian. At most `maximumPairs` pairs, `maximumTensors` tensors and
/// `maximumBytes` of the file are read; arrays are stepped over, texts of more than `maximumText` bytes are not kept.
package struct GGUFHeader: Hashable, Sendable {
    static let maximumBytes: Int64 = 64 << 20
    static let maximumPairs: UInt64 = 10_000
    static let maximumTensors: UInt64 = 200_000
    static let maximumElements: UInt64 = 4_000_000
    static let maximumText = 256 << 10
    /// Texts and numbers that are kept, whatever the file holds.
    static let maximumKept = 500

    package private(set) var texts: [String: String] = [:]
    package private(set) var numbers: [String: Int64] = [:]
    package private(set) var total: Int64 = 0
    package private(set) var tensorCount = 0

    package static func read(_ source: some ByteSource) async throws -> GGUFHeader {
        var reader = GGUFReader(source)
        return try await reader.header()
    }

    package var facts: GGUFFacts {
        var facts = GGUFFacts(total: total)
        facts.architecture = texts["general.architecture"].map { String($0.prefix(64)) }
        facts.contextLength = facts.architecture.flatMap { numbers[$0 + ".context_length"] }
        facts.quantization = numbers["general.file_type"].flatMap(GGUFFileType.name)
        facts.chatTemplate = texts["tokenizer.chat_template"]
        return facts
    }

    /// Adds the tensors of another file of the same model.
    package mutating func add(_ other: GGUFHeader) throws(FormatError) {
        try add(elements: other.total)
        tensorCount += other.tensorCount
        texts.merge(other.texts) { own, _ in own }
        numbers.merge(other.numbers) { own, _ in own }
    }

    mutating func add(elements: Int64) throws(FormatError) {
        let sum = total.addingReportingOverflow(elements)
        guard !sum.overflow else { throw FormatError("The GGUF file counts more elements than can be.") }
        total = sum.partialValue
    }

    mutating func keep(_ text: String, as key: String) {
        if texts.count < Self.maximumKept { texts[key] = text }
    }

    mutating func keep(_ number: Int64, as key: String) {
        if numbers.count < Self.maximumKept { numbers[key] = number }
    }

    mutating func countTensor() { tensorCount += 1 }
}

/// Reads the pieces of a GGUF file one after another.
private struct GGUFReader<Source: ByteSource> {
    private enum Kind: UInt32 {
        case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

        /// Bytes of a value of fixed size.
        var size: UInt64? {
            switch self {
            case .uint8, .int8, .bool: 1
            case .uint16, .int16: 2
            case .uint32, .int32, .float32: 4
            case .uint64, .int64, .float64: 8
            case .string, .array: nil
            }
        }
    }

    private var cursor: ByteCursor<Source>
    private var elements: UInt64 = 0

    init(_ source: Source) { cursor = ByteCursor(source, limit: GGUFHeader.maximumBytes) }

    mutating func header() async throws -> GGUFHeader {
        guard try await cursor.bytes(4) == Array("GGUF".utf8) else { throw FormatError("The file does not begin as GGUF does.") }
        let version = try await cursor.unsigned32()
        guard version == 2 || version == 3 else { throw FormatError("GGUF version \(version) is not known.") }
        let tensors = try await cursor.unsigned64()
        let pairs = try await cursor.unsigned64()
        guard tensors <= GGUFHeader.maximumTensors, pairs <= GGUFHeader.maximumPairs else {
            throw FormatError("The GGUF file has more tensors or keys than is plausible.")
        }
        var header = GGUFHeader()
        for _ in 0..<pairs { try await readPair(into: &header) }
        for _ in 0..<tensors {
            try header.add(elements: try await tensorElements())
            header.countTensor()
        }
        return header
    }

    private mutating func readPair(into header: inout GGUFHeader) async throws {
        let key = try await string(keeping: 256)
        let kind = try await kind()
        switch kind {
        case .string:
            let text = try await string(keeping: GGUFHeader.maximumText)
            if let key, let text, Self.isWanted(key) { header.keep(text, as: key) }
        case .array: try await skipArray(depth: 0)
        case .uint32, .int32:
            let value = try await cursor.unsigned32()
            let number = kind == .int32 ? Int64(Int32(bitPattern: value)) : Int64(value)
            if let key { header.keep(number, as: key) }
        case .uint64, .int64:
            let value = try await cursor.unsigned64()
            if let key, let number = Int64(exactly: value) { header.keep(number, as: key) }
        case .uint8, .int8, .bool, .uint16, .int16, .float32, .float64: try cursor.skip(kind.size ?? 0)
        }
    }

    /// The texts that facts use.
    private static func isWanted(_ key: String) -> Bool {
        key == "tokenizer.chat_template" || key.hasPrefix("general.")
    }

    private mutating func tensorElements() async throws -> Int64 {
        _ = try await string(keeping: 0)
        let sides = try await cursor.unsigned32()
        guard sides <= 8 else { throw FormatError("A tensor of the GGUF file has \(sides) dimensions.") }
        var product: Int64 = 1
        for _ in 0..<sides {
            let side = try await cursor.unsigned64()
            let result = product.multipliedReportingOverflow(by: Int64(clamping: side))
            guard !result.overflow else { throw FormatError("A tensor of the GGUF file is larger than can be.") }
            product = result.partialValue
        }
        try cursor.skip(4 + 8)
        return product
    }

    private mutating func kind() async throws -> Kind {
        let value = try await cursor.unsigned32()
        guard let kind = Kind(rawValue: value) else { throw FormatError("The GGUF file has a value of unknown type \(value).") }
        return kind
    }

    private mutating func skipArray(depth: Int) async throws {
        guard depth < 4 else { throw FormatError("The GGUF file has arrays nested too deeply.") }
        let kind = try await kind()
        let count = try await cursor.unsigned64()
        if let size = kind.size {
            let bytes = size.multipliedReportingOverflow(by: count)
            guard !bytes.overflow else { throw FormatError("An array of the GGUF file is larger than can be.") }
            return try cursor.skip(bytes.partialValue)
        }
        // Counted over the whole file, since each costs time.
        guard count <= GGUFHeader.maximumElements - elements else { throw FormatError("The arrays of the GGUF file are too long.") }
        elements += count
        for _ in 0..<count {
            if kind == .array { try await skipArray(depth: depth + 1) } else { _ = try await string(keeping: 0) }
        }
    }

    /// The text if it has at most `limit` bytes, else `nil`.
    private mutating func string(keeping limit: Int) async throws -> String? {
        let length = try await cursor.unsigned64()
        guard length > 0, length <= UInt64(limit) else {
            try cursor.skip(length)
            return length == 0 ? "" : nil
        }
        return String(decoding: try await cursor.bytes(Int(length)), as: UTF8.self)
    }
}

/// The numbers of `general.file_type`. Source: `llama_ftype` in llama.cpp `include/llama.h`.
enum GGUFFileType {
    private static let names: [Int64: String] = [
        0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
        13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS",
        21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M",
        30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4",
    ]

    static func name(_ number: Int64) -> String? { names[number] }
}
