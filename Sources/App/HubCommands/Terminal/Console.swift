import FoundationEssentials
import Glibc

/// Where a verb writes and asks: results to `output`, everything else to `errors`.
package struct Console: Sendable {
    package let output: @Sendable (String) -> Void
    package let errors: @Sendable (String) -> Void
    /// A line that the person typed, or `nil` at the end of input.
    package let readAnswer: @Sendable () -> String?
    /// The same without showing what is typed.
    package let readSecret: @Sendable () -> String?
    package let isOutputTerminal: Bool
    package let isErrorTerminal: Bool
    package let isInputTerminal: Bool
    /// The terminal's columns; `nil` when output is no terminal.
    package let width: Int?

    package init(
        output: @escaping @Sendable (String) -> Void, errors: @escaping @Sendable (String) -> Void,
        readAnswer: @escaping @Sendable () -> String? = { nil }, readSecret: (@Sendable () -> String?)? = nil, isOutputTerminal: Bool = false,
        isErrorTerminal: Bool = false, isInputTerminal: Bool = false, width: Int? = nil
    ) {
        self.output = output
        self.errors = errors
        self.readAnswer = readAnswer
        self.readSecret = readSecret ?? readAnswer
        self.isOutputTerminal = isOutputTerminal
        self.isErrorTerminal = isErrorTerminal
        self.isInputTerminal = isInputTerminal
        self.width = width
    }

    /// The process's own streams.
    package static var standard: Console {
        Console(
            output: { Self.write($0, to: STDOUT_FILENO) }, errors: { Self.write($0, to: STDERR_FILENO) },
            readAnswer: { readLine(strippingNewline: true) }, readSecret: Self.lineWithoutEcho, isOutputTerminal: isatty(STDOUT_FILENO) == 1,
            isErrorTerminal: isatty(STDERR_FILENO) == 1, isInputTerminal: isatty(STDIN_FILENO) == 1,
            width: columns(of: STDOUT_FILENO) ?? columns(of: STDERR_FILENO))
    }

    /// A line of the result.
    package func print(_ line: String) { output(line + "\n") }

    /// A line for the person, beside the result.
    package func note(_ line: String) { errors(line + "\n") }

    /// Asks before something that cannot be taken back.
    ///
    /// - Throws: `CommandFailure` when the answer is no, or when nobody can be asked.
    func confirm(_ question: String, unless isConfirmed: Bool) throws {
        if isConfirmed { return }
        guard isInputTerminal, isErrorTerminal else {
            throw CommandFailure(.usage, "\(question) Nobody can be asked here; repeat it with --yes.")
        }
        errors("\(question) [y/N] ")
        guard let answer = readAnswer()?.lowercased(), answer == "y" || answer == "yes" else {
            throw CommandFailure(.failed, "Nothing was changed.")
        }
    }

    /// Writes all of the text. A reader that went away ends the process as `SIGPIPE` would.
    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE {
                exit(141)
            } else if errno != EINTR && errno != EAGAIN {
                return
            }
        }
    }

    /// Reads a line while the terminal does not show it.
    private static func lineWithoutEcho() -> String? {
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { return readLine(strippingNewline: true) }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) }
        return readLine(strippingNewline: true)
    }

    private static func columns(of descriptor: Int32) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
