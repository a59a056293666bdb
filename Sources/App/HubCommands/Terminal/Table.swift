/// A column of a list: its heading and what it shows of an item.
struct Column<Item>: Sendable {
    let title: String
    let alignsRight: Bool
    let text: @Sendable (Item) -> String

    init(_ title: String, alignsRight: Bool = false, _ text: @escaping @Sendable (Item) -> String) {
        self.title = title
        self.alignsRight = alignsRight
        self.text = text
    }
}

/// Prints items as they arrive, page by page: an aligned table on a terminal, tab-separated values without a heading elsewhere.
///
/// Columns are as wide as the first page needs and only grow after that, so that no page waits for the last.
struct Table<Item> {
    private let columns: [Column<Item>]
    private let console: Console
    private var widths: [Int]
    private var hasHeading = false

    init(_ columns: [Column<Item>], console: Console) {
        self.columns = columns
        self.console = console
        widths = columns.map { DisplayText.width(of: $0.title) }
    }

    mutating func print(_ items: [Item]) {
        let rows = items.map { item in columns.map { DisplayText.safe($0.text(item)) } }
        guard console.isOutputTerminal else {
            for row in rows { console.print(row.joined(separator: "\t")) }
            return
        }
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], DisplayText.width(of: cell)) }
        }
        if !hasHeading, !rows.isEmpty {
            console.print(line(columns.map(\.title)))
            hasHeading = true
        }
        for row in rows { console.print(line(row)) }
    }

    private func line(_ cells: [String]) -> String {
        var parts: [String] = []
        for (index, cell) in cells.enumerated() {
            let isLast = index == cells.count - 1
            let column = columns[index]
            parts.append(
                isLast && !column.alignsRight
                    ? cell : DisplayText.padded(cell, to: widths[index], alignsRight: column.alignsRight))
        }
        var text = parts.joined(separator: "  ")
        while text.hasSuffix(" ") { text.removeLast() }
        return console.width.map { DisplayText.cut(text, to: $0) } ?? text
    }
}
