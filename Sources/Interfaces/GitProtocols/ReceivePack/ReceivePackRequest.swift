import HubCore
import NIOCore

/// One line of a push: `<old> <new> <ref>`.
struct ReferenceCommand: Hashable {
    let name: String
    let old: GitOID?
    let new: GitOID?
}

/// The commands of a push, before its pack. Source: *git `gitprotocol-pack(5)`*, "Reference Update Request".
///
/// Limits: 20,000 commands, 1,000 push options.
struct ReceivePackRequest {
    static let maximumCommands = 20_000
    static let maximumPushOptions = 1_000
    /// No valid ref name is longer than 1,024 bytes; a longer one could not be reported in a packet.
    static let maximumNameBytes = 4_096

    private(set) var commands: [ReferenceCommand] = []
    private(set) var capabilities: Set<String> = []
    private(set) var pushOptions: [String] = []
    private var phase = Phase.commands

    private enum Phase {
        case commands, pushOptions, complete
    }

    var isComplete: Bool { phase == .complete }
    var sendsPack: Bool { commands.contains { $0.new != nil } }
    var isAtomic: Bool { capabilities.contains("atomic") }
    var usesSideBand: Bool { capabilities.contains("side-band-64k") }
    var reportVersion: Int { capabilities.contains("report-status-v2") ? 2 : capabilities.contains("report-status") ? 1 : 0 }

    /// Takes the next packet; `isComplete` says when the pack begins.
    mutating func read(_ line: PktLine) throws(ReceivePackError) {
        guard case .data = line, let text = line.text else {
            guard line == .flush else { throw .malformed("delimiter") }
            switch phase {
            case .commands: phase = capabilities.contains("push-options") ? .pushOptions : .complete
            case .pushOptions, .complete: phase = .complete
            }
            return
        }
        switch phase {
        case .commands: try readCommand(text)
        case .pushOptions:
            guard pushOptions.count < Self.maximumPushOptions else { throw .tooMany("push options", Self.maximumPushOptions) }
            pushOptions.append(text)
        case .complete: throw .malformed(text)
        }
    }

    private mutating func readCommand(_ text: String) throws(ReceivePackError) {
        // A shallow client lists its boundary; what it pushes must be connected to what the hub has all the same.
        if text.hasPrefix("shallow ") { return }
        if text.hasPrefix("push-cert") { throw .signedPush }
        var line = Substring(text)
        if let zero = line.firstIndex(of: "\0") {
            if commands.isEmpty {
                capabilities = Set(line[line.index(after: zero)...].split(separator: " ").map(String.init))
            }
            line = line[..<zero]
        }
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let old = GitOID(hex: parts[0]), let new = GitOID(hex: parts[1]) else { throw .malformed(text) }
        guard parts[2].utf8.count <= Self.maximumNameBytes else { throw .malformed(text) }
        guard commands.count < Self.maximumCommands else { throw .tooMany("ref commands", Self.maximumCommands) }
        commands.append(
            ReferenceCommand(name: String(parts[2]), old: old.isZero ? nil : old, new: new.isZero ? nil : new))
    }
}

/// Why receive-pack refused a request before it looked at the pack.
enum ReceivePackError: Error, Equatable {
    case malformed(String)
    case signedPush
    case tooMany(String, Int)
    case endsEarly
    case otherObjectFormat(String)
}

extension ReceivePackError: Refusal {
    var problem: Problem {
        switch self {
        case .malformed(let line):
            Problem(.invalid, code: "malformed_line", "receive-pack: malformed line “\(line.shortened)”")
        case .signedPush: Problem(.unsupported, code: "signed_push", "This hub does not take signed pushes; push without --signed.")
        case .tooMany(let what, let limit): Problem(.tooLarge, code: "too_many_lines", "too many \(what); the limit is \(limit)")
        case .endsEarly: Problem(.invalid, code: "incomplete_request", "The push ended before its last ref command; push again.")
        case .otherObjectFormat(let name):
            Problem(.invalid, code: "object_format", "mismatched object format: server sha1; client \(name.shortened)")
        }
    }
}
