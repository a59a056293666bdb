/// The header blocks of an entry of a volume, POSIX pax interchange format (IEEE Std 1003.1, `pax`).
///
/// A volume has regular files only, of mode 0644, of user and group 0 and of time 0, so that the bytes of a header follow from name and
/// size alone. Nobody reads such a header: readers make the one that must be there and compare. An entry of 8 GiB or more has the
/// size in an extended header (`size=`) before it, as eleven octal digits do not hold it.
enum TarHeader {
    static let blockBytes = 512
    /// What eleven octal digits hold.
    static let maximumPlainSize: Int64 = 0o77_777_777_777
    /// Two blocks of zeros.
    static let endBytes: Int64 = 1024

    /// The bytes of header before an entry's data.
    static func byteCount(size: Int64) -> Int64 { size > maximumPlainSize ? 3 * 512 : 512 }

    /// What an entry takes in a volume: header, data and zeros up to the next block.
    static func entryBytes(size: Int64) -> Int64 { byteCount(size: size) + size + paddingBytes(size: size) }

    static func paddingBytes(size: Int64) -> Int64 { (512 - size % 512) % 512 }

    /// The header of a file.
    /// - Parameter name: ASCII, at most 100 bytes; the names of the format have at most 96.
    static func bytes(name: String, size: Int64) -> [UInt8] {
        precondition(name.utf8.count <= 100 && size >= 0, "a name of the format")
        guard size > maximumPlainSize else { return block(name: name, size: size, type: UInt8(ascii: "0")) }
        let record = sizeRecord(size)
        var bytes = block(name: "PaxHeaders/size", size: Int64(record.count), type: UInt8(ascii: "x"))
        bytes += record
        bytes += [UInt8](repeating: 0, count: blockBytes - record.count)
        // Readers take the size of the record before; pax(1) leaves open what stands here.
        return bytes + block(name: name, size: 0, type: UInt8(ascii: "0"))
    }

    /// The size in a header made by `bytes(name:size:)` without an extended header; `nil` when it is none.
    static func plainSize(of header: [UInt8], name: String) -> Int64? {
        guard header.count == blockBytes else { return nil }
        let digits = header[124..<135]
        guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }) else { return nil }
        let size = digits.reduce(Int64(0)) { $0 << 3 | Int64($1 - UInt8(ascii: "0")) }
        return bytes(name: name, size: size) == header ? size : nil
    }

    /// `25 size=12345678901234567\n`: the length counts itself.
    private static func sizeRecord(_ size: Int64) -> [UInt8] {
        let rest = " size=\(size)\n"
        var length = rest.utf8.count + 1
        while String(length).utf8.count + rest.utf8.count != length { length += 1 }
        return Array("\(length)\(rest)".utf8)
    }

    private static func block(name: String, size: Int64, type: UInt8) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: blockBytes)
        func put(_ text: String, at offset: Int) { block.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8) }
        put(name, at: 0)
        put("0000644", at: 100)
        put("0000000", at: 108)
        put("0000000", at: 116)
        put(octal(size, digits: 11), at: 124)
        put("00000000000", at: 136)
        put("        ", at: 148)
        block[156] = type
        put("ustar", at: 257)
        put("00", at: 263)
        let sum = block.reduce(0) { $0 + Int64($1) }
        put(octal(sum, digits: 6), at: 148)
        block[154] = 0
        return block
    }

    private static func octal(_ value: Int64, digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
