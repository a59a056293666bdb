/// The differences between two texts by lines. Source: E. Myers, *An O(ND) Difference Algorithm and Its Variations*, 1986.
struct LineDiff {
    /// A run of lines that differ: these of the old text stand where those of the new one do.
    struct Change: Equatable {
        let old: Range<Int>
        let new: Range<Int>
    }

    /// Beyond this many inserted and removed lines the differing middle is told as one change: the work grows with its square.
    static let maximumEdits = 1000

    /// In the order of the lines.
    static func changes(from old: [ArraySlice<UInt8>], to new: [ArraySlice<UInt8>]) -> [Change] {
        let (left, right) = numbered(old, new)
        var start = 0
        while start < left.count, start < right.count, left[start] == right[start] { start += 1 }
        var (leftEnd, rightEnd) = (left.count, right.count)
        while leftEnd > start, rightEnd > start, left[leftEnd - 1] == right[rightEnd - 1] {
            leftEnd -= 1
            rightEnd -= 1
        }
        guard start < leftEnd || start < rightEnd else { return [] }
        let middle = Myers(old: Array(left[start..<leftEnd]), new: Array(right[start..<rightEnd]), limit: maximumEdits)
        guard let changes = middle.changes() else { return [Change(old: start..<leftEnd, new: start..<rightEnd)] }
        return changes.map {
            Change(
                old: $0.old.lowerBound + start..<$0.old.upperBound + start,
                new: $0.new.lowerBound + start..<$0.new.upperBound + start)
        }
    }

    /// Equal lines get equal numbers, so that they compare at once.
    private static func numbered(_ old: [ArraySlice<UInt8>], _ new: [ArraySlice<UInt8>]) -> ([Int], [Int]) {
        var numbers: [ArraySlice<UInt8>: Int] = [:]
        func number(_ line: ArraySlice<UInt8>) -> Int {
            if let known = numbers[line] { return known }
            numbers[line] = numbers.count
            return numbers.count - 1
        }
        return (old.map(number), new.map(number))
    }
}

private struct Myers {
    let old: [Int]
    let new: [Int]
    let limit: Int

    /// `nil` when there are more edits than the limit.
    func changes() -> [LineDiff.Change]? {
        guard let trace = trace() else { return nil }
        var changes: [LineDiff.Change] = []
        var (x, y) = (old.count, new.count)
        for (edits, row) in trace.enumerated().reversed() {
            let diagonal = x - y
            let isDown = edits > 0 && (diagonal == -edits || (diagonal != edits && row[diagonal - 1, edits] < row[diagonal + 1, edits]))
            let previous = isDown ? diagonal + 1 : diagonal - 1
            let fromX = edits == 0 ? 0 : row[previous, edits]
            let fromY = fromX - previous
            guard edits > 0 else { break }
            if isDown {
                Self.add(LineDiff.Change(old: fromX..<fromX, new: fromY..<fromY + 1), to: &changes)
            } else {
                Self.add(LineDiff.Change(old: fromX..<fromX + 1, new: fromY..<fromY), to: &changes)
            }
            (x, y) = (fromX, fromY)
        }
        return changes.reversed()
    }

    /// Joins a change to the one after it when they touch.
    private static func add(_ change: LineDiff.Change, to changes: inout [LineDiff.Change]) {
        guard let next = changes.last, change.old.upperBound == next.old.lowerBound, change.new.upperBound == next.new.lowerBound
        else { return changes.append(change) }
        changes[changes.count - 1] = LineDiff.Change(
            old: change.old.lowerBound..<next.old.upperBound, new: change.new.lowerBound..<next.new.upperBound)
    }

    /// The furthest line of `old` that each diagonal reached with the edits before the row's own.
    private struct Row {
        var reached: [Int]

        subscript(diagonal: Int, edits: Int) -> Int {
            let index = diagonal + edits + 1
            return reached.indices.contains(index) ? reached[index] : -1
        }
    }

    private func trace() -> [Row]? {
        var rows: [Row] = []
        // Diagonals -edits-1 … edits+1 of the step before.
        var reached = [0, 0, 0]
        for edits in 0...limit {
            rows.append(Row(reached: reached))
            var next = [Int](repeating: -1, count: 2 * edits + 5)
            for diagonal in stride(from: -edits, through: edits, by: 2) {
                let below = reached[diagonal + edits]
                let above = reached[diagonal + edits + 2]
                var x: Int
                if edits == 0 {
                    x = 0
                } else if diagonal == -edits || (diagonal != edits && below < above) {
                    x = above
                } else {
                    x = below + 1
                }
                var y = x - diagonal
                while x < old.count, y < new.count, y >= 0, old[x] == new[y] {
                    x += 1
                    y += 1
                }
                next[diagonal + edits + 2] = x
                if x >= old.count, y >= new.count { return rows }
            }
            reached = next
        }
        return nil
    }
}
