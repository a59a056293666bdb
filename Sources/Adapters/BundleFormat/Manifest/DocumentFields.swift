import HubCore

/// Reads the members of one object of a signed document; errors name the document and the place in it.
struct DocumentFields {
    let file: String
    let place: String
    private let node: JSONNode

    init(_ node: JSONNode?, file: String, place: String) throws(BundleError) {
        self.file = file
        self.place = place
        guard let node, case .object = node else {
            throw .invalidDocument(file: file, place: place, reason: "is not an object")
        }
        self.node = node
    }

    func fault(_ name: String, _ reason: String) -> BundleError {
        .invalidDocument(file: file, place: place.isEmpty ? name : "\(place).\(name)", reason: reason)
    }

    /// The member, `nil` when it is absent or null.
    func node(_ name: String) -> JSONNode? {
        guard let value = node[name], value != .null else { return nil }
        return value
    }

    func optionalText(_ name: String, maximumBytes: Int = 4096) throws(BundleError) -> String? {
        guard let value = node(name) else { return nil }
        guard let text = value.string, text.utf8.count <= maximumBytes else {
            throw fault(name, "is not a text of at most \(maximumBytes) bytes")
        }
        return text
    }

    func text(_ name: String, maximumBytes: Int = 4096) throws(BundleError) -> String {
        guard let text = try optionalText(name, maximumBytes: maximumBytes) else { throw fault(name, "is missing") }
        return text
    }

    func number(_ name: String, in range: ClosedRange<Int64> = 0...CanonicalJSON.maximumInteger) throws(BundleError) -> Int64 {
        guard let value = node(name)?.integer, range.contains(value) else {
            throw fault(name, "is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func flag(_ name: String) throws(BundleError) -> Bool {
        guard let value = node(name) else { return false }
        guard let flag = value.bool else { throw fault(name, "is not true or false") }
        return flag
    }

    func digest(_ name: String) throws(BundleError) -> ObjectID {
        guard let id = ObjectID(hex: try text(name)) else { throw fault(name, "is not a SHA-256 in 64 lower-case hex digits") }
        return id
    }

    func commit(_ name: String) throws(BundleError) -> GitOID? {
        guard let text = try optionalText(name) else { return nil }
        guard let oid = GitOID(hex: text) else { throw fault(name, "is not a git object id of 40 lower-case hex digits") }
        return oid
    }

    func word<Word: RawRepresentable>(_ name: String, _ type: Word.Type) throws(BundleError) -> Word where Word.RawValue == String {
        let text = try text(name)
        guard let word = Word(rawValue: text) else { throw fault(name, "has the value “\(text)”, which the format does not know") }
        return word
    }

    func fields(_ name: String) throws(BundleError) -> DocumentFields? {
        guard let value = node(name) else { return nil }
        return try DocumentFields(value, file: file, place: place.isEmpty ? name : "\(place).\(name)")
    }

    /// The elements of an array, empty when it is absent.
    func list(_ name: String, maximumCount: Int = 2_000_000) throws(BundleError) -> [JSONNode] {
        guard let value = node(name) else { return [] }
        guard let elements = value.elements else { throw fault(name, "is not an array") }
        guard elements.count <= maximumCount else { throw .tooLarge(what: "\(file): \(name)", limit: "\(maximumCount) entries") }
        return elements
    }

    func objects<Value>(
        _ name: String, maximumCount: Int = 2_000_000, _ read: (DocumentFields) throws(BundleError) -> Value
    ) throws(BundleError) -> [Value] {
        var values: [Value] = []
        for (index, node) in try list(name, maximumCount: maximumCount).enumerated() {
            let place = place.isEmpty ? "\(name)[\(index)]" : "\(place).\(name)[\(index)]"
            values.append(try read(DocumentFields(node, file: file, place: place)))
        }
        return values
    }

    func texts(_ name: String, maximumCount: Int = 100_000) throws(BundleError) -> [String] {
        var texts: [String] = []
        for node in try list(name, maximumCount: maximumCount) {
            guard let text = node.string, text.utf8.count <= 4096 else { throw fault(name, "holds what is no text of at most 4096 bytes") }
            texts.append(text)
        }
        return texts
    }

    func commits(_ name: String, maximumCount: Int = 100_000) throws(BundleError) -> [GitOID] {
        var commits: [GitOID] = []
        for text in try texts(name, maximumCount: maximumCount) {
            guard let oid = GitOID(hex: text) else { throw fault(name, "holds what is no git object id") }
            commits.append(oid)
        }
        return commits
    }
}
