import HTTPTypes
import HubCore
import WebCore

/// How to point clients to this hub: readable for everybody, as nobody can sign in before.
struct ClientRoutes {
    let authority: ClientSetup.Authority?

    var routes: [APIRoute] {
        [
            .answering(
                .get, "/clients", "getClients", "Returns all that clients need to use this hub; needs no sign-in."
            ) { [authority] call in
                ClientsModel(ClientSetup(origin: call.context.origin, authority: authority))
            }
        ]
    }
}

package struct ClientsModel: APIModel {
    struct Certificate: Codable, Sendable {
        let pem: String
        let sha256Fingerprint: String
        let url: String
    }

    struct Variable: Codable, Sendable {
        let name: String
        let value: String
        let purpose: String
    }

    struct System: Codable, Sendable {
        let name: String
        let profileUrl: String
        let variables: [Variable]
        let setUpCommand: String
        let installCommand: String
        @OrNull var gitCommand: String?
        let checkCommand: String
    }

    let endpoint: String
    let tokenPage: String
    @OrNull var certificate: Certificate?
    let systems: [System]

    init(_ setup: ClientSetup) {
        endpoint = setup.endpoint
        tokenPage = setup.tokenPage
        _certificate = OrNull(
            wrappedValue: setup.authority.map {
                Certificate(pem: $0.pem, sha256Fingerprint: $0.fingerprint, url: setup.endpoint + "/connect/ca.pem")
            })
        systems = ClientSetup.System.allCases.map { system in
            System(
                name: system.rawValue, profileUrl: "\(setup.endpoint)/connect/\(system.script)",
                variables: setup.variables(on: system).map {
                    Variable(name: $0.name, value: $0.value, purpose: $0.purpose.rawValue)
                },
                setUpCommand: setup.setUpCommand(on: system), installCommand: setup.installCommand(on: system),
                gitCommand: setup.gitCommand(on: system), checkCommand: setup.checkCommand)
        }
    }

    package static var schema: Schema {
        .object(
            "Clients", "What clients need to use this hub.",
            [
                .required("endpoint", .text, "The address that the caller came by."),
                .required("token_page", .text, "Where access tokens are made."),
                .required(
                    "certificate",
                    .nullable(
                        .object(
                            "ClientCertificate", "The authority that clients must trust.",
                            [
                                .required("pem", .text, ""),
                                .required("sha256_fingerprint", .text, "As certificate viewers show it: `AB:CD:…`."),
                                .required("url", .text, "Where it can be downloaded."),
                            ])), "Null without TLS, and where the certificate is the administrator's own."),
                .required("systems", .list(of: systemSchema), ""),
            ])
    }

    private static var systemSchema: Schema {
        let variable = Schema.object(
            "ClientVariable", "A variable of the environment.",
            [
                .required("name", .text, ""), .required("value", .text, "`<…>` stands for what is to be filled in."),
                .required("purpose", .words(of: ClientSetup.Purpose.self), ""),
            ])
        return .object(
            "ClientSystem", "How to set up an operating system.",
            [
                .required("name", .words(of: ClientSetup.System.self), ""),
                .required("profile_url", .text, "A script that does it all."),
                .required("variables", .list(of: variable), ""),
                .required("set_up_command", .text, "For the present shell."),
                .required("install_command", .text, "For all users, as administrator."),
                .required("git_command", .nullable(.text), "Makes git trust the hub."),
                .required("check_command", .text, "Shows the account's name when all is right."),
            ])
    }
}
