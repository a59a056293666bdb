import FoundationEssentials
import HubCore

/// The place in a list where the next page begins: the sort key and id of the last item, as text that callers pass
/// back.
struct ListCursor {
    let key: String
    let id: Int64

    init(key: String, id: Int64) {
        self.key = key
        self.id = id
    }

    init(parsing text: String) throws(MetadataError) {
        guard text.utf8.count <= 4096, let separator = text.firstIndex(of: ":"), let id = Int64(text[..<separator])
        else {
            throw .invalidCursor
        }
        self.id = id
        key = String(text[text.index(after: separator)...])
    }

    var text: String { "\(id):\(key)" }

    /// A cursor of lists that are sorted by id alone.
    static func id(_ text: String?) throws(MetadataError) -> Int64? {
        guard let text else { return nil }
        guard let id = Int64(text) else { throw .invalidCursor }
        return id
    }
}

extension Page {
    /// Builds a page from `limit + 1` items asked for: the extra one says that there are more.
    init(_ items: [Item], limit: Int, cursor: (Item) -> String) {
        let shown = Array(items.prefix(limit))
        self.init(items: shown, next: items.count > limit ? shown.last.map(cursor) : nil)
    }
}

/// The bound that every list has.
enum ListLimit {
    static func clamp(_ limit: Int, maximum: Int = 1000) -> Int { min(max(limit, 1), maximum) }
}
