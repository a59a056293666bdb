import HubCore

/// Reads the header of a git bundle, versions 2 and 3 (*git `gitformat-bundle(5)`*), from pieces of any size.
///
///     # v2 git bundle\n
///     -<oid> comment\n        what the receiver must have
///     <oid> refs/heads/main\n
///     \n                      then the pack
///
/// The refs in it are not believed: the signed manifest has them. At most 64 MiB of header.
struct GitBundleHeader {
    private static let maximumBytes = 64 << 20

    private var buffered: [UInt8] = []
    private var searched = 0
    private(set) var prerequisites: [GitOID] = []
    private(set) var isComplete = false

    enum Fault: Error, Equatable {
        case invalid(String)
    }

    /// Takes the next bytes and returns those of the pack among them; empty while the header goes on.
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> [UInt8] {
        if isComplete { return Array(bytes) }
        guard buffered.count + bytes.count <= Self.maximumBytes + (1 << 20) else {
            throw .invalid("its header is too long")
        }
        buffered.append(contentsOf: bytes)
        while searched + 1 < buffered.count {
            if buffered[searched] == UInt8(ascii: "\n"), buffered[searched + 1] == UInt8(ascii: "\n") {
                try parse(Array(buffered[...searched]))
                let rest = Array(buffered[(searched + 2)...])
                buffered = []
                isComplete = true
                return rest
            }
            searched += 1
        }
        guard buffered.count <= Self.maximumBytes else { throw .invalid("its header is too long") }
        return []
    }

    private mutating func parse(_ header: [UInt8]) throws(Fault) {
        var lines = header.split(separator: UInt8(ascii: "\n"))[...]
        guard let first = lines.popFirst() else { throw .invalid("it is no git bundle") }
        let version: Int
        switch String(decoding: first, as: UTF8.self) {
        case "# v2 git bundle": version = 2
        case "# v3 git bundle": version = 3
        default: throw .invalid("it is no git bundle of version 2 or 3")
        }
        for line in lines {
            if version == 3, line.first == UInt8(ascii: "@") {
                guard String(decoding: line, as: UTF8.self) == "@object-format=sha1" else {
                    throw .invalid(
                        "it wants “\(String(decoding: line.dropFirst().prefix(60), as: UTF8.self))”, which is not known here"
                    )
                }
                continue
            }
            let isPrerequisite = line.first == UInt8(ascii: "-")
            let name = (isPrerequisite ? line.dropFirst() : line).prefix(40)
            guard let oid = GitOID(hex: String(decoding: name, as: UTF8.self)) else {
                throw .invalid("its header has a line that is none of git’s")
            }
            if isPrerequisite { prerequisites.append(oid) }
        }
    }
}
