/// Scripts that set a machine's clients up; everything in them is fixed but the endpoint and the certificate.
enum ProfileScripts {
    /// For POSIX shells: read by `.` it sets the present shell up, `install` does so for all users, `check` tells whether it works.
    static func shell(_ setup: ClientSetup) -> String {
        filled(setup.authority == nil ? shellPlain : shellAuthority, setup) + filled(shellEnd, setup)
    }

    /// For PowerShell 5 and newer: dot-sourced it sets the present session up, `-Install` does so for the user's account.
    static func powerShell(_ setup: ClientSetup) -> String {
        filled(powerShellStart, setup) + (setup.authority == nil ? "" : filled(powerShellAuthority, setup))
            + filled(powerShellEnd, setup)
    }

    private static func filled(_ script: String, _ setup: ClientSetup) -> String {
        script.replacing("{{endpoint}}", with: setup.endpoint).replacing("{{pem}}", with: setup.authority?.pem ?? "")
            .replacing("{{fingerprint}}", with: setup.authority?.fingerprint ?? "")
            .replacing("{{tokens}}", with: setup.tokenPage)
    }

    private static let shellHead = """
        # Points the clients of Hugging Face and OpenCSG, and git, to the hub at {{endpoint}}.
        #
        #   . ./profile.sh               for this shell; add the line to ~/.profile to keep it
        #   sudo sh profile.sh install   for everybody who uses this machine
        #   sh profile.sh check          tells whether it works

        """

    private static let shellPlain = shellHead + """
        csghub_trust() { :; }

        """

    private static let shellAuthority = shellHead + """
        # SHA-256 fingerprint of the hub's certificate authority: compare it with what the administrator tells.
        # {{fingerprint}}

        # Writes the authority's certificate, and one file of it and all that this machine trusts, into a folder.
        csghub_write_authority() {
            mkdir -p "$1" || return 1
            cat > "$1/ca.pem.$$" << 'CERTIFICATE'
        {{pem}}CERTIFICATE
            for csghub_file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
                if [ -r "$csghub_file" ]; then break; fi
            done
            if [ ! -r "$csghub_file" ]; then csghub_file=/dev/null; fi
            cat "$csghub_file" "$1/ca.pem.$$" > "$1/ca-bundle.pem.$$" || return 1
            chmod 644 "$1/ca.pem.$$" "$1/ca-bundle.pem.$$"
            mv -f "$1/ca.pem.$$" "$1/ca.pem" && mv -f "$1/ca-bundle.pem.$$" "$1/ca-bundle.pem"
        }

        csghub_trust() {
            csghub_folder=/usr/local/share/csghub
            if [ ! -r "$csghub_folder/ca-bundle.pem" ]; then
                csghub_folder="${XDG_CONFIG_HOME:-$HOME/.config}/csghub"
                csghub_write_authority "$csghub_folder" || return 1
            fi
            export SSL_CERT_FILE="$csghub_folder/ca-bundle.pem"
            export REQUESTS_CA_BUNDLE="$csghub_folder/ca-bundle.pem"
            export CURL_CA_BUNDLE="$csghub_folder/ca-bundle.pem"
            if command -v git > /dev/null 2>&1; then
                csghub_key="http.{{endpoint}}/.sslCAInfo"
                if [ "$(git config --get "$csghub_key" 2> /dev/null)" != "$csghub_folder/ca.pem" ]; then
                    git config --global "$csghub_key" "$csghub_folder/ca.pem"
                fi
            fi
        }

        """

    private static let shellEnd = """
        csghub_set() {
            export HF_ENDPOINT="{{endpoint}}"
            export CSGHUB_DOMAIN="{{endpoint}}"
            # Without these, clients in an isolated network wait for hosts that they cannot reach.
            export HF_HUB_DISABLE_UPDATE_CHECK=1
            export HF_HUB_DISABLE_TELEMETRY=1
            export HF_UPDATE_DOWNLOAD_COUNTS=0
            # Your token, made at {{tokens}}: export HF_TOKEN=hub_…
            if [ -n "${HF_TOKEN:-}" ] && [ -z "${CSGHUB_TOKEN:-}" ]; then export CSGHUB_TOKEN="$HF_TOKEN"; fi
            csghub_trust
        }

        csghub_install() {
            if command -v csghub_write_authority > /dev/null 2>&1; then
                csghub_write_authority /usr/local/share/csghub || return 1
            fi
            mkdir -p /etc/profile.d && cp "$0" /etc/profile.d/csghub.sh && chmod 644 /etc/profile.d/csghub.sh || return 1
            # The shells of macOS read no folder of profiles.
            if [ "$(uname)" = Darwin ]; then
                for csghub_file in /etc/zprofile /etc/profile; do
                    grep -qs /etc/profile.d/csghub.sh "$csghub_file" && continue
                    echo "[ -r /etc/profile.d/csghub.sh ] && . /etc/profile.d/csghub.sh" >> "$csghub_file" || return 1
                done
            fi
            echo "Installed /etc/profile.d/csghub.sh; it works from the next sign-in on."
        }

        csghub_check() {
            csghub_set || return 1
            if [ -n "${HF_TOKEN:-}" ]; then
                curl --fail --silent --show-error --header "Authorization: Bearer $HF_TOKEN" "{{endpoint}}/connect/check"
            else
                curl --fail --silent --show-error "{{endpoint}}/connect/check"
            fi
        }

        # When it is read by another shell or script, the name of the process is another one.
        case "${0##*/}/${1:-}" in
        profile.sh/install | csghub.sh/install) csghub_install ;;
        profile.sh/check | csghub.sh/check) csghub_check ;;
        *) csghub_set ;;
        esac

        """

    private static let powerShellStart = """
        # Points the clients of Hugging Face and OpenCSG, and git, to the hub at {{endpoint}}.
        #
        #   . .\\profile.ps1                                               for this session
        #   powershell -ExecutionPolicy Bypass -File profile.ps1 -Install   for all sessions of your account
        param([switch]$Install)
        $settings = [ordered]@{
            HF_ENDPOINT = '{{endpoint}}'
            CSGHUB_DOMAIN = '{{endpoint}}'
            # Without these, clients in an isolated network wait for hosts that they cannot reach.
            HF_HUB_DISABLE_UPDATE_CHECK = '1'
            HF_HUB_DISABLE_TELEMETRY = '1'
            HF_UPDATE_DOWNLOAD_COUNTS = '0'
        }

        """

    private static let powerShellAuthority = """
        # SHA-256 fingerprint of the hub's certificate authority: compare it with what the administrator tells.
        # {{fingerprint}}
        $folder = Join-Path $HOME '.csghub'
        New-Item -ItemType Directory -Force -Path $folder | Out-Null
        $authority = @'
        {{pem}}'@
        # Python's clients read one file of all authorities: those that this machine trusts, and the hub's.
        $trusted = Get-ChildItem Cert:\\LocalMachine\\Root, Cert:\\CurrentUser\\Root | ForEach-Object {
            "-----BEGIN CERTIFICATE-----`n" + [Convert]::ToBase64String($_.RawData, 'InsertLineBreaks') + "`n-----END CERTIFICATE-----"
        }
        $file = Join-Path $folder 'ca.pem'
        $bundle = Join-Path $folder 'ca-bundle.pem'
        [IO.File]::WriteAllText($file, $authority)
        [IO.File]::WriteAllText($bundle, (@($trusted) + $authority) -join "`n")
        $settings.SSL_CERT_FILE = $bundle
        $settings.REQUESTS_CA_BUNDLE = $bundle
        $settings.CURL_CA_BUNDLE = $bundle
        if (Get-Command git -ErrorAction SilentlyContinue) {
            git config --global 'http.{{endpoint}}/.sslCAInfo' ($file -replace '\\\\', '/')
            # git for Windows otherwise asks the system's store.
            git config --global 'http.{{endpoint}}/.sslBackend' openssl
        }

        """

    private static let powerShellEnd = """
        foreach ($name in $settings.Keys) {
            Set-Item -Path "Env:$name" -Value $settings[$name]
            if ($Install) { [Environment]::SetEnvironmentVariable($name, $settings[$name], 'User') }
        }
        # Your token, made at {{tokens}}:
        #   [Environment]::SetEnvironmentVariable('HF_TOKEN', 'hub_…', 'User')

        """
}
