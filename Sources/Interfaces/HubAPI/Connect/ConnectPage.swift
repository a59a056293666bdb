import HubCore

/// The page that tells how to point clients to this hub. It works without scripts and loads nothing but its style.
struct ConnectPage {
    let setup: ClientSetup
    let texts: ConnectTexts

    /// Text for HTML, escaped.
    private struct Markup {
        private(set) var text = ""

        mutating func raw(_ markup: String) { text += markup }

        mutating func element(_ name: String, _ content: String) { text += "<\(name)>\(Markup.escape(content))</\(name)>\n" }

        mutating func command(_ content: String) {
            text += "<pre tabindex=\"0\"><code>\(Markup.escape(content))</code></pre>\n"
        }

        mutating func link(_ address: String, _ content: String, file: String? = nil) {
            let download = file.map { " download=\"\(Markup.escape($0))\"" } ?? ""
            text += "<p><a href=\"\(Markup.escape(address))\"\(download)>\(Markup.escape(content))</a></p>\n"
        }

        static func escape(_ text: String) -> String {
            var escaped = ""
            for character in text {
                switch character {
                case "&": escaped += "&amp;"
                case "<": escaped += "&lt;"
                case ">": escaped += "&gt;"
                case "\"": escaped += "&quot;"
                default: escaped.append(character)
                }
            }
            return escaped
        }
    }

    var html: String {
        var page = Markup()
        page.raw("<!doctype html>\n<html lang=\"\(texts.language)\">\n<head>\n<meta charset=\"utf-8\">\n")
        page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        page.raw("<meta name=\"color-scheme\" content=\"light dark\">\n")
        page.element("title", texts.title)
        page.raw("<link rel=\"stylesheet\" href=\"/connect/style.css\">\n</head>\n<body>\n<main>\n")
        page.element("h1", texts.title)
        page.element("p", texts.intro)
        page.raw("<p class=\"endpoint\"><code>\(Markup.escape(setup.endpoint))</code></p>\n")
        addCertificate(to: &page)
        page.raw("<section>\n")
        page.element("h2", texts.stepToken)
        page.element("p", texts.tokenHint)
        page.link("/settings/tokens", texts.tokenLink)
        page.raw("</section>\n<section>\n")
        page.element("h2", texts.stepSetUp)
        for system in ClientSetup.System.allCases { addSystem(system, to: &page) }
        page.raw("</section>\n<section>\n")
        page.element("h2", texts.stepCheck)
        page.element("p", texts.checkHint)
        page.command(setup.checkCommand)
        page.raw("</section>\n<footer>\n")
        page.link("/api/hub/v1/clients", texts.data)
        page.raw("</footer>\n</main>\n</body>\n</html>\n")
        return page.text
    }

    private func addCertificate(to page: inout Markup) {
        guard let authority = setup.authority else { return }
        page.raw("<section>\n")
        page.element("h2", texts.stepCertificate)
        page.element("p", texts.certificateHint)
        page.raw("<dl>\n")
        page.element("dt", texts.fingerprint)
        page.raw("<dd><code>\(Markup.escape(authority.fingerprint))</code></dd>\n</dl>\n")
        page.link("/connect/ca.pem", texts.download, file: "csghub-ca.pem")
        page.raw("</section>\n")
    }

    private func addSystem(_ system: ClientSetup.System, to page: inout Markup) {
        let name = [ClientSetup.System.linux: "Linux", .macos: "macOS", .windows: "Windows"][system] ?? system.rawValue
        page.raw("<article>\n")
        page.element("h3", name)
        page.element("p", texts.setUpHint)
        page.command(setup.setUpCommand(on: system))
        page.link("/connect/\(system.script)", texts.script)
        page.element("p", texts.allUsers)
        page.command(setup.installCommand(on: system))
        page.raw("<details>\n")
        page.element("summary", texts.byHand)
        page.raw("<table>\n<thead><tr>")
        for heading in [texts.variable, texts.value, texts.purpose] {
            page.raw("<th scope=\"col\">\(Markup.escape(heading))</th>")
        }
        page.raw("</tr></thead>\n<tbody>\n")
        for variable in setup.variables(on: system) {
            page.raw("<tr><th scope=\"row\"><code>\(variable.name)</code></th><td><code>\(Markup.escape(variable.value))</code></td>")
            page.raw("<td>\(Markup.escape(texts.purposes[variable.purpose] ?? ""))</td></tr>\n")
        }
        page.raw("</tbody>\n</table>\n")
        if let command = setup.gitCommand(on: system) {
            page.element("p", texts.git)
            page.command(command)
        }
        page.raw("</details>\n</article>\n")
    }

    static let style = """
        :root {
            color-scheme: light dark;
            --text: light-dark(#1c1e21, #e8eaed);
            --quiet: light-dark(#4a4f57, #b4bac4);
            --page: light-dark(#ffffff, #16181c);
            --field: light-dark(#f1f3f6, #23272e);
            --line: light-dark(#c9ced6, #3b414b);
            --link: light-dark(#0b57b0, #8ab8ff);
        }
        body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.6 system-ui, sans-serif; }
        main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
        h1 { font-size: 1.8rem; line-height: 1.25; }
        h2 { margin-top: 2.2rem; font-size: 1.3rem; border-bottom: 1px solid var(--line); }
        h3 { margin: 1.6rem 0 0.4rem; font-size: 1.1rem; }
        a { color: var(--link); }
        a:focus-visible, pre:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
        code { font-family: ui-monospace, monospace; font-size: 0.92em; overflow-wrap: anywhere; }
        pre { margin: 0.4rem 0; padding: 0.7rem 0.9rem; overflow-x: auto; background: var(--field); border: 1px solid var(--line); border-radius: 6px; }
        pre code { overflow-wrap: normal; }
        dt, footer, td:last-child { color: var(--quiet); }
        dd { margin: 0; }
        summary { padding: 0.3rem 0; cursor: pointer; }
        table { width: 100%; border-collapse: collapse; }
        th, td { padding: 0.35rem 0.6rem 0.35rem 0; text-align: start; vertical-align: top; border-bottom: 1px solid var(--line); font-weight: normal; }
        @media (max-width: 40rem) { thead { position: absolute; clip-path: inset(50%); } tr, th, td { display: block; border: 0; padding: 0.1rem 0; } tr { border-bottom: 1px solid var(--line); padding: 0.5rem 0; } }

        """
}
