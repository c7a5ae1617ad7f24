# shellcheck shell=bash
# Servers in Docker's containers. Part of .ci/services.
# shellcheck disable=SC2034,SC2154 # set or read there

# Runs a command quietly, for so many seconds at most.
within() { # SECONDS COMMAND…
    local deadline=$((SECONDS + $1)) job
    "${@:2}" </dev/null >/dev/null 2>&1 &
    job=$!
    while kill -0 "$job" 2>/dev/null && ((SECONDS <= deadline)); do sleep 0.05; done
    kill -s KILL "$job" 2>/dev/null || true
    wait "$job" 2>/dev/null
}

docker_answers() {
    if [[ -z "${docker:-}" ]]; then
        docker=no
        if command -v docker >/dev/null && within 5 docker info; then docker=yes; fi
    fi
    [[ "$docker" == yes ]]
}

# `docker run` with the server's port on a free one of the loopback address; sets `port` to that.
contain() { # PORT ARGUMENT…
    docker run --detach --name "$container" --publish "127.0.0.1::$1" "${@:2}" </dev/null >/dev/null || return 1
    port="$(docker port "$container" "$1/tcp" | sed -n '1s/.*://p')"
    [[ -n "$port" ]]
}

start_container() { # NAME: sets `url`, or `reason`
    local name="$1" container="stockpulse-$1-$$-$RANDOM" port deadline
    note container "$name" "$container" - - -
    reason='docker run failed; what it said is above'
    "${name}_contain" || return 1
    url="$("${name}_url" "$port")"
    deadline=$((SECONDS + ready_seconds))
    while [[ -z "$interrupted" ]] && ((SECONDS < deadline)); do
        # From inside, as its clients are there, and from here.
        if "${name}_contained" "$container" </dev/null >/dev/null 2>&1 && (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            note container "$name" "$container" - "$url" -
            say "$name: $url, container $container"
            return 0
        fi
        sleep 0.2
    done
    reason='its container did not answer; the end of its log is above'
    docker logs --tail 20 "$container" >&2 || true
    return 1
}

end_container() { # NAME CONTAINER
    docker inspect "$2" </dev/null >/dev/null 2>&1 || return 0
    say "$1: ending container $2"
    docker rm --force --volumes "$2" </dev/null >/dev/null
}
