import ArgumentParser
import BundleFormat
import FoundationEssentials
import HubCore

/// Where the passphrase of a private key comes from.
struct PassphraseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Take the key's passphrase from the first line of a file, “-” for stdin; it is asked for unless given.",
            valueName: "file"))
    var passphraseFile: String?

    /// Reads a private key, asking for its passphrase when it has one.
    func key(in path: String, _ console: Console) throws -> SigningKey {
        try Self.key(in: path, console) { try passphrase(for: path, console) }
    }

    /// The same, at a terminal only.
    static func key(in path: String, _ console: Console) throws -> SigningKey {
        try key(in: path, console) { try asked(for: path, console) }
    }

    private static func key(in path: String, _ console: Console, passphrase: () throws -> String) throws -> SigningKey {
        let bytes = try Media.contents(of: HubLocation.absolute(path), name: path, limit: SigningKey.maximumBytes)
        let pem = String(decoding: bytes, as: UTF8.self)
        do {
            return try SigningKey(pem: pem)
        } catch SigningError.passphraseNeeded {
            return try SigningKey(pem: pem, passphrase: passphrase())
        }
    }

    private static func asked(for path: String, _ console: Console) throws -> String {
        guard console.isInputTerminal, console.isErrorTerminal else { throw SigningError.passphraseNeeded }
        console.errors("Passphrase of \(DisplayText.safe(path)): ")
        let answer = console.readSecret()
        console.errors("\n")
        guard let answer else { throw SigningError.passphraseNeeded }
        return answer
    }

    private func passphrase(for path: String, _ console: Console) throws -> String {
        guard let passphraseFile else { return try Self.asked(for: path, console) }
        if passphraseFile == "-" {
            guard let line = console.readAnswer() else { throw SigningError.passphraseNeeded }
            return line
        }
        let bytes = try Media.contents(of: HubLocation.absolute(passphraseFile), name: passphraseFile, limit: 4096)
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
    }
}
