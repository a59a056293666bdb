# What the installer's commands share: where things are, how they speak, how they measure. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# CSGHUB_BINARY names another executable to run and test than the one that installer/build makes.
# shellcheck disable=SC2034  # used by the commands that source this
binary="${CSGHUB_BINARY:-$root/.build-static/csghub}"

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }

# Ends the command with a sentence that says what to do next.
refuse() {
    warn "$*"
    exit 1
}

# Puts the toolchain on PATH when it stands where the Swift installers leave it.
find_swift() {
    command -v swift > /dev/null && return 0
    local folder
    for folder in /opt/swift/usr/bin "$HOME/.local/share/swiftly/bin" /usr/local/swift/usr/bin; do
        if [[ -x $folder/swift ]]; then
            PATH="$folder:$PATH"
            return 0
        fi
    done
    return 1
}

# Whether a socket of this machine listens on the port, by the kernel's tables: no tool needed, nothing connected to.
port_is_taken() {
    local hexadecimal
    hexadecimal=$(printf ':%04X' "$1")
    awk -v port="$hexadecimal" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' \
        /proc/net/tcp /proc/net/tcp6 2> /dev/null
}

# The port itself, or the next one that nothing listens on.
next_free_port() {
    local port=$1
    while port_is_taken "$port"; do
        port=$((port + 1))
        ((port < 65536)) || refuse "No port from $1 up is free; name another with --listen ADDRESS:PORT."
    done
    say "$port"
}

# Refuses early when the file system of a folder has less than so many megabytes free.
require_free_megabytes() {
    local folder=$1 needed=$2 free
    free=$(df --output=avail -BM "$folder" | tail -n 1 | tr -dc '0-9')
    ((free >= needed)) || refuse "$folder has $free MB free, $needed MB are needed; free some or set TMPDIR."
}

human_time() {
    local seconds=$1
    if ((seconds < 60)); then say "$seconds s"; else say "$((seconds / 60)) min $((seconds % 60)) s"; fi
}

# Runs a long command with its output in a log. On a terminal the last line of the log is shown as it changes;
# elsewhere one line appears every half minute, so that a watcher sees that work goes on. On failure the end of the
# log is printed.
run_with_progress() {
    local title=$1 log=$2
    shift 2
    local started=$SECONDS shown=$SECONDS status=0 child last
    "$@" > "$log" 2>&1 < /dev/null &
    child=$!
    # shellcheck disable=SC2064  # the child of now
    trap "kill $child 2> /dev/null; wait $child 2> /dev/null; exit 130" INT TERM
    while kill -0 "$child" 2> /dev/null; do
        last=$(tail -c 400 "$log" 2> /dev/null | tr '\r' '\n' | tail -n 1 | cut -c 1-90) || true
        if [[ -t 1 ]]; then
            printf '\r\033[K%s, %s: %s' "$title" "$(human_time $((SECONDS - started)))" "$last"
        elif ((SECONDS - shown >= 30)); then
            shown=$SECONDS
            say "  $title, $(human_time $((SECONDS - started))): $last"
        fi
        sleep 1
    done
    wait "$child" || status=$?
    trap - INT TERM
    [[ -t 1 ]] && printf '\r\033[K'
    if ((status != 0)); then
        warn "$title failed after $(human_time $((SECONDS - started))) with status $status; the end of $log:"
        grep -E 'error:|fatal' "$log" | head -n 30 >&2 || true
        tail -n 40 "$log" >&2
    fi
    return "$status"
}
