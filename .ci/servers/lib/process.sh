# shellcheck shell=bash
# Servers as processes of this machine. Part of .ci/services.
# shellcheck disable=SC2034,SC2154 # set or read there

# As root the servers run as `nobody`: Postgres refuses root, and the others should.
drop=()
if ((EUID == 0)); then drop=(setpriv --reuid=nobody "--regid=$(id -g nobody)" --clear-groups); fi
# In a session of their own the terminal's Ctrl-C does not reach them.
detach=()
if command -v setsid >/dev/null; then detach=(setsid); fi

as_user() { # FOLDER COMMAND…
    (cd "$1" && HOME="$1" TMPDIR="$1" exec ${drop[@]+"${drop[@]}"} "${@:2}")
}

# Starts a server in the background and sets `pid`. Every step is an exec, so that this is the server's own id; until the
# first of them has happened, nobody could tell by its command line.
serve() { # FOLDER COMMAND…
    (cd "$1" && HOME="$1" TMPDIR="$1" exec ${detach[@]+"${detach[@]}"} ${drop[@]+"${drop[@]}"} "${@:2}") \
        </dev/null >>"$1/log" 2>&1 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null && ! alive "$pid" "$1"; do sleep 0.01; done
}

make_folder() { # NAME: sets `folder`
    local base
    for base in "${TMPDIR:-/tmp}" /tmp; do
        folder="$(mktemp -d "${base%/}/stockpulse-$1.XXXXXX")" || continue
        note folder "$1" - - - "$folder"
        if ((EUID == 0)); then chown nobody "$folder"; fi
        if as_user "$folder" test -w "$folder"; then return; fi
    done
    return 1
}

# Below the range that the system takes for outgoing connections, so that none of those comes in between.
free_port() {
    local port
    for _ in {1..50}; do
        port=$((20000 + RANDOM % 12000))
        if ! (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    return 1
}

# Is this process that server? An id may belong to another process by now; one that is dead and not yet waited for has no
# command line.
alive() { # PID WORDS: what its command line contains
    local line
    if [[ -e /proc/self/cmdline ]]; then
        line="$(tr '\0' ' ' <"/proc/$1/cmdline")" || return 1
    else
        line="$(ps -ww -o args= -p "$1")" || return 1
    fi
    [[ "$line" == *"$2"* ]]
} 2>/dev/null

start_process() { # NAME: sets `url`, or `reason`
    local name="$1" folder port pid deadline
    reason='no temporary folder that an unprivileged user may write to'
    make_folder "$name" || return 1
    for _ in {1..5}; do
        port="$(free_port)" || break
        url="$("${name}_url" "$port")"
        "${name}_start" "$folder" "$port" || break
        note process "$name" "$pid" "$(of "$name" signal)" "$url" "$folder"
        deadline=$((SECONDS + ready_seconds))
        while [[ -z "$interrupted" ]] && kill -0 "$pid" 2>/dev/null && ((SECONDS < deadline)); do
            if "${name}_ready" "$folder" "$port" >/dev/null 2>&1; then
                "${name}_prepare" "$folder" "$port" >>"$folder/log" 2>&1 || break 2
                say "$name: $url, process $pid, in $folder"
                return 0
            fi
            sleep 0.05
        done
        # If somebody took the port in between, it has ended at once, and another port will do.
        if kill -0 "$pid" 2>/dev/null || ! grep -qi 'address.* in use' "$folder/log"; then break; fi
        : >"$folder/log"
    done
    reason='it did not start; the end of its log is above'
    if [[ -n "$interrupted" ]]; then return 1; fi
    tail -n 20 "$folder/log" >&2 || true
    return 1
}

# Asks more than once, as a server that has only just started does not listen to signals yet.
end_process() { # NAME PID SIGNAL FOLDER DEADLINE
    while alive "$2" "$4" && ((SECONDS < $5)); do
        kill -s "$3" "$2" || return 1
        for _ in {1..20}; do
            alive "$2" "$4" || return 0
            sleep 0.05 || true
        done
    done
    if alive "$2" "$4"; then
        say "$1: process $2 does not end and is killed"
        kill -s KILL "$2" || return 1
        sleep 0.5
    fi
    ! alive "$2" "$4"
}

# Ends what is left of a process group.
end_group() { # LEADER
    local deadline=$((SECONDS + stop_seconds))
    kill -s TERM -- "-$1" || return 0
    while kill -0 -- "-$1" && ((SECONDS < deadline)); do sleep 0.05; done
    kill -s KILL -- "-$1"
} 2>/dev/null
