import ArgumentParser
import HubCore
import Testing

@testable import HubCommands

@Suite("The grammar of the command line")
struct GrammarTests {
    @Test(
        "takes every form of the verbs",
        arguments: [
            "serve --data d --listen 0.0.0.0:8443 --tls off --external-url https://a --external-url https://b --anonymous-read",
            "account create ada --admin --role approver --role auditor --email a@b --password-file f",
            "account list --json",
            "account enable ada", "account disable ada", "account delete ada --yes",
            "account password ada --password-file -",
            "organization create lab", "organization list", "organization delete lab --yes",
            "organization member add lab ada --role contribute", "organization member list lab --json",
            "organization member remove lab ada", "token create --account ada --scope write --expires 30d --name n",
            "token list --account ada", "token revoke 7", "setting list", "setting get k", "setting set k v",
            "setting reset k",
            "audit list --limit 5 --json", "audit export --after 3", "audit verify",
            "repository create model ada/bert --visibility internal", "repository create models/ada/bert",
            "repository list --kind models --owner ada --deleted --json", "repository delete codes/ada/x --yes",
            "repository undelete dataset ada/x", "repository rename model ada/bert lab/bert",
            "repository rename models/ada/bert bert2",
            "repository set space ada/x --visibility public --default-branch dev --description text",
            "repository gate model ada/bert manual", "repository gate models/ada/bert none", "access list model ada/bert --status accepted --json",
            "access grant model ada/bert bob", "access reject models/ada/bert bob --reason r", "access cancel model ada/bert bob",
            "repository export model ada/bert out", "repository export models/ada/bert out",
            "repository upload model ada/bert folder --branch b --message m", "object verify --all", "version",
            "doctor --json", "bundle sign /media/usb --key k", "bundle verify /media/usb /media/disc --trust root.1.json --json",
            "trust init --publisher acme --algorithm p384 --cosigner k --threshold 2", "trust show acme --user", "trust add f --fingerprint x",
            "trust rotate --revoke-old stolen", "trust revoke acme --reason over --yes", "trust fingerprint f",
            "model sign bert --key k --passphrase-file -", "model verify bert --key k --signature s",
            "benchmark commits --data /tmp --json",
        ])
    func takes(_ line: String) async throws {
        let command = try await HubCommand.asyncParseAsRoot(line.split(separator: " ").map(String.init))
        #expect(command is any HubVerb)
    }

    @Test("every verb takes --data and has an example in its help")
    func everyVerb() {
        for verb in Self.verbs(of: HubCommand.self) {
            let help = verb.helpMessage()
            #expect(help.contains("--data") || verb is any FileVerb.Type, "\(verb)")
            #expect(help.contains("Example: csghub "), "\(verb)")
            #expect(!verb.configuration.abstract.isEmpty, "\(verb)")
        }
        #expect(Self.verbs(of: HubCommand.self).count > 30)
    }

    @Test(
        "refuses with status 64 and says why",
        arguments: [
            ("account", "invent"), ("account create", ""), ("account create ada", "--role king"),
            ("repository create", "model"),
            ("repository create bert", ""), ("repository create model ada/bert extra", ""),
            ("repository create", "thing ada/bert"),
            ("repository set model ada/bert", ""), ("repository gate model ada/bert", "open"), ("repository gate model", "ada/bert"),
            ("access grant model", "ada/bert"), ("access list model ada/bert", "--status all"), ("repository export model ada/bert", ""),
            ("token create --account a --scope all", ""),
            ("token create --account a --scope read --expires", "soon"), ("audit list --limit", "0"),
            ("repository create model", "a--b/x"),
        ])
    func refuses(_ start: String, _ rest: String) async {
        let console = TestConsole()
        let session = CommandSession(console: console.console(), environment: [:]) { _, _ in
            throw CommandFailure(.failed, "not reached")
        }
        let status = await HubCommand.run((start + " " + rest).split(separator: " ").map(String.init), in: session)
        #expect(status == 64)
        #expect(console.output.isEmpty && console.errors.contains("Error"), "\(console.errors)")
    }

    @Test("help and nouns alone go to stdout", arguments: [["--help"], ["account", "--help"], ["account"], []])
    func help(_ arguments: [String]) async {
        let console = TestConsole()
        let session = CommandSession(console: console.console(), environment: [:]) { _, _ in
            throw CommandFailure(.failed, "not reached")
        }
        #expect(await HubCommand.run(arguments, in: session) == 0)
        #expect(console.output.contains("USAGE: csghub"))
        #expect(console.errors.isEmpty)
    }

    @Test(
        "reads lengths of time",
        arguments: [("90s", 90), ("45m", 2700), ("12h", 43_200), ("30d", 2_592_000), ("2w", 1_209_600)])
    func timeSpans(_ text: String, _ seconds: Int64) { #expect(TimeSpan(argument: text)?.seconds == seconds) }

    @Test(
        "refuses other lengths of time",
        arguments: ["", "d", "30", "-1d", "0d", "1y", "1.5h", "99999999999999999999d", "999999w"])
    func noTimeSpans(_ text: String) { #expect(TimeSpan(argument: text) == nil) }

    @Test(
        "reads a repository in either form",
        arguments: [
            ["model", "ada/bert"], ["models", "ada/bert"], ["models/ada/bert"], ["model/ada/bert"],
            ["/models/ada/bert.git"],
        ])
    func repositories(_ words: [String]) throws {
        let found = try RepositoryWords(words)
        #expect(found.reference.description == "models/ada/bert")
        #expect(found.reference.apiPath == ["repositories", "model", "ada", "bert"])
        #expect(try RepositoryWords(words + ["out"], then: ["DIR"]).rest == ["out"])
    }

    private static func verbs(of command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
        let below = command.configuration.subcommands
        return below.isEmpty ? [command] : below.flatMap(verbs)
    }
}
