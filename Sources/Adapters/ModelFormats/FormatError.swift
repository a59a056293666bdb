import HubCore

/// Why a file is not what its name says, in words for its author.
package struct FormatError: Error, Hashable, CustomStringConvertible {
    package let message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}

extension FormatError: Refusal {
    package var problem: Problem { Problem(.invalid, code: "invalid_file", message) }
}
