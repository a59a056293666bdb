import Glibc
import HubCore

/// Git's delta format (git `gitformat-pack(5)`, *Deltified representation*).
///
///     base size, result size          7 bits a byte, low first
///     1oooosss: copy                  the bits say which bytes of offset and size follow, low first; size 0 is 65,536
///     0nnnnnnn: insert                n bytes follow
///     00000000                        reserved, refused
enum Delta {
    /// What the delta says of its base and its result; nothing is promised until `apply` has checked it.
    @inline(__always)
    static func sizes(
        _ delta: UnsafeRawBufferPointer
    ) throws(GitStoreError) -> (base: Int, result: Int, headerByteCount: Int) {
        var index = 0
        let base = try size(delta, at: &index)
        let result = try size(delta, at: &index)
        return (base, result, index)
    }

    /// Builds the result, which must have exactly the size that the delta names.
    static func apply(
        _ delta: UnsafeRawBufferPointer, to base: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer
    ) throws(GitStoreError) {
        let sizes = try sizes(delta)
        guard sizes.base == base.count else { throw .malformed("a delta was made for another base") }
        guard sizes.result == result.count else { throw .malformed("a delta has another result size than expected") }
        guard let start = delta.baseAddress else { throw .malformed("a delta is empty") }
        var input = start + sizes.headerByteCount
        let end = start + delta.count
        var filled = 0
        while input < end {
            let code = input.load(as: UInt8.self)
            input += 1
            if code & 0x80 != 0 {
                guard end - input >= (code & 0x7f).nonzeroBitCount else { throw .malformed("a delta is cut off") }
                let (offset, size) = readCopy(code, &input)
                guard let source = base.baseAddress, let target = result.baseAddress, offset <= base.count,
                    size <= base.count - offset, size <= result.count - filled
                else { throw .malformed("a delta copies from outside its base or past its result") }
                memcpy(target + filled, source + offset, size)
                filled += size
            } else {
                let size = Int(code)
                guard size > 0 else { throw .malformed("a delta uses the reserved instruction") }
                guard let target = result.baseAddress, size <= end - input, size <= result.count - filled else {
                    throw .malformed("a delta inserts past its end or its result")
                }
                memcpy(target + filled, input, size)
                input += size
                filled += size
            }
        }
        guard filled == result.count else { throw .malformed("a delta does not fill its result") }
    }

    @inline(__always)
    private static func readCopy(_ code: UInt8, _ input: inout UnsafeRawPointer) -> (offset: Int, size: Int) {
        var offset = 0
        var size = 0
        for bit in 0..<4 where code & (1 << UInt8(bit)) != 0 {
            offset |= Int(input.load(as: UInt8.self)) << (8 * bit)
            input += 1
        }
        for bit in 0..<3 where code & (0x10 << UInt8(bit)) != 0 {
            size |= Int(input.load(as: UInt8.self)) << (8 * bit)
            input += 1
        }
        return (offset, size == 0 ? 0x10000 : size)
    }

    @inline(__always)
    private static func size(_ delta: UnsafeRawBufferPointer, at index: inout Int) throws(GitStoreError) -> Int {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard index < delta.count else { throw .malformed("a delta is cut off") }
            guard shift <= 49 else { throw .malformed("a delta claims an impossible size") }
            let byte = delta[index]
            index += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return Int(value) }
            shift += 7
        }
    }
}
