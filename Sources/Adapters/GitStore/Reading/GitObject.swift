import HubCore

/// A git object in full.
package struct GitObject: Hashable, Sendable {
    package let type: GitObjectType
    package let bytes: [UInt8]

    package init(type: GitObjectType, bytes: [UInt8]) {
        self.type = type
        self.bytes = bytes
    }
}
