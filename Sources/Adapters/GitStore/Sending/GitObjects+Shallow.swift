import HubCore

extension GitObjects {
    /// How a request moves the client's shallow boundary: what `shallow-info` says before the pack.
    package func shallowUpdate(for request: FetchRequest) throws(GitStoreError) -> ShallowUpdate {
        guard request.deepen != nil else { return ShallowUpdate() }
        let reader = readers.take(self)
        defer { readers.give(back: reader) }
        let wanted = try NamedObjects(request.wants, in: self, reader: reader, ignoringMissing: false)
        let graph = try CommitGraph(self, reader: reader)
        return try ShallowPlan(request, wants: wanted.commits, graph: graph) { _ in }.update
    }

    /// Whether each want has an ancestor among the common commits, so that a negotiation need not go on.
    ///
    /// Wants that are no commits count as reached. Never true without common commits.
    package func isReady(wants: [GitOID], common: [GitOID]) throws(GitStoreError) -> Bool {
        guard !common.isEmpty else { return false }
        let reader = readers.take(self)
        defer { readers.give(back: reader) }
        let wanted = try NamedObjects(wants, in: self, reader: reader, ignoringMissing: false)
        let had = try NamedObjects(common, in: self, reader: reader, ignoringMissing: true)
        let graph = try CommitGraph(self, reader: reader)
        for want in wanted.commits {
            guard try graph.reaches(Set(had.commits), from: want) else { return false }
        }
        return true
    }
}
