import HubCore

/// Reads the files that the new trees call `.gitmodules` or `.gitattributes` and holds them to git's rules.
///
/// They may have been in the repository before under a harmless name, so where they are stored makes no difference.
struct SpecialFileCheck {
    let objects: GitObjects
    let limits: ReceiveLimits

    func run(_ found: [[GitOID: Set<DotGitNames.SpecialFile>]]) throws(GitStoreError) {
        for blobs in found {
            for (oid, files) in blobs {
                for file in files { try check(oid, file) }
            }
        }
    }

    private func check(_ oid: GitOID, _ file: DotGitNames.SpecialFile) throws(GitStoreError) {
        let (limit, rule) =
            switch file {
            case .gitmodules: (limits.maximumGitmodulesBytes, "gitmodulesLarge")
            case .gitattributes: (limits.maximumGitattributesBytes, "gitattributesLarge")
            }
        guard let header = try objects.header(of: oid) else { throw .refused(.missingObject(oid, .blob)) }
        guard header.sizeBytes <= limit else {
            throw .refused(.brokenRule(oid, .blob, rule: rule, ".\(file.name) is larger than \(limit) bytes"))
        }
        let object = try objects.read(oid, limit: limit)
        do {
            try withBytes(of: object.bytes) { (bytes) throws(RuleViolation) in
                switch file {
                case .gitmodules: try SpecialFileRules.check(gitmodules: bytes)
                case .gitattributes: try SpecialFileRules.check(gitattributes: bytes)
                }
            }
        } catch {
            throw .refused(.brokenRule(oid, .blob, rule: error.rule, error.explanation))
        }
    }
}
