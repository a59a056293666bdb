/// How far a received pack has been worked through.
package struct ReceiveProgress: Sendable, Hashable {
    package enum Phase: Sendable, Hashable {
        case resolvingDeltas
        case checkingConnectivity
        case writingIndex
    }

    package let phase: Phase
    package let done: Int
    package let total: Int

    /// As git shows it to whoever pushes: `Resolving deltas:  50% (500/1000)`.
    package var text: String {
        let name =
            switch phase {
            case .resolvingDeltas: "Resolving deltas"
            case .checkingConnectivity: "Checking connectivity"
            case .writingIndex: "Writing index"
            }
        let percent = total == 0 ? 100 : done * 100 / total
        return
            "\(name): \(String(repeating: " ", count: percent < 10 ? 2 : percent < 100 ? 1 : 0))\(percent)% (\(done)/\(total))"
    }
}
