/// What a received pack may cost.
///
/// Each limit is checked before memory or time is spent, and its refusal names it.
package struct ReceiveLimits: Sendable, Hashable {
    /// The size of the pack as sent.
    ///
    /// 64 GiB.
    package var maximumPackBytes: Int64 = 64 << 30
    /// Entries in the pack; 64 bytes of memory each while it is received.
    ///
    /// 16,777,216.
    package var maximumObjects = 1 << 24
    /// A file stored whole in git; larger ones belong in Git LFS.
    ///
    /// From 16 MiB on it is hashed as it streams by. 4 GiB.
    package var maximumBlobBytes: Int64 = 4 << 30
    /// A commit, tree or tag; these are held in memory.
    ///
    /// 64 MiB.
    package var maximumStructureBytes: Int64 = 64 << 20
    /// A delta, its base and its result; these are held in memory, large ones by one thread of the process at a time.
    ///
    /// 512 MiB, from which git itself makes no deltas (`core.bigFileThreshold`).
    package var maximumDeltaObjectBytes: Int64 = 512 << 20
    /// Deltas upon deltas.
    ///
    /// 4,095, git's own maximum (`pack.depth`).
    package var maximumDeltaDepth = 4095
    /// Entries of one tree.
    ///
    /// 1,000,000.
    package var maximumTreeEntries = 1_000_000
    /// One name in a tree.
    ///
    /// 4,096 bytes, as git `fsck` has it.
    package var maximumNameBytes = 4096
    /// All bytes that are made from the pack: inflated entries and the results of deltas, those made a second time
    /// included.
    ///
    /// 256 GiB, some ten minutes of work.
    package var maximumInflatedBytes: Int64 = 256 << 30
    /// Different objects that the pack's objects name; 48 bytes of memory each.
    ///
    /// 33,554,432.
    package var maximumReferences = 1 << 25
    /// Git LFS pointers in one push.
    ///
    /// 1,000,000.
    package var maximumPointers = 1_000_000
    /// A `.gitmodules` file, which is read when it is pushed.
    ///
    /// 4 MiB.
    package var maximumGitmodulesBytes: Int64 = 4 << 20
    /// A `.gitattributes` file.
    ///
    /// 100 MiB, as git has it.
    package var maximumGitattributesBytes: Int64 = 100 << 20

    /// Memory for the bases of deltas that are still needed, shared by the threads of one push; tests lower it.
    var baseCacheBytes = 96 << 20

    package init() {}

    var tooManyInflatedBytes: GitStoreError {
        .refused(.overLimit("its objects have more than \(maximumInflatedBytes) bytes; push in parts"))
    }

    /// Blobs larger than this are hashed as a stream and never held whole, unless they are a delta's base.
    static let heldBlobBytes = 16 << 20
    /// Whoever resolves deltas with objects larger than this does so alone in the process.
    static let largeObjectBytes = 32 << 20
}
