/// A ref and what it points to.
package struct Reference: Hashable, Sendable {
    package let name: ReferenceName
    package let oid: GitOID
    /// For an annotated tag, the object that it finally points to.
    package let peeled: GitOID?

    package init(name: ReferenceName, oid: GitOID, peeled: GitOID? = nil) {
        self.name = name
        self.oid = oid
        self.peeled = peeled
    }
}

/// One command of a push: set `name` from `old` to `new`. `nil` is "no ref" on either side.
package struct ReferenceUpdate: Hashable, Sendable {
    package let name: ReferenceName
    package let old: GitOID?
    package let new: GitOID?
    /// What `new` peels to, if it is an annotated tag.
    package let peeled: GitOID?
    /// `new` does not contain `old`, so objects may have become unreachable.
    package let isForced: Bool

    package init(name: ReferenceName, old: GitOID?, new: GitOID?, peeled: GitOID? = nil, isForced: Bool = false) {
        self.name = name
        self.old = old
        self.new = new
        self.peeled = peeled
        self.isForced = isForced
    }
}
