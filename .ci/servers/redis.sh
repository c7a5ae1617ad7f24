# shellcheck shell=bash
# Redis, or Valkey. What has to be in here, postgres.sh says.
# shellcheck disable=SC2034 # read by .ci/services
redis_variable=STOCKPULSE_REDIS redis_port=6379 redis_packages=redis-server
# shellcheck disable=SC2034
redis_exports=STOCKPULSE_REDIS_SERVER redis_signal=TERM
# What is written survives a restart; how soon it is on disk is as Redis has it by default.
redis_settings=(--save '' --appendonly yes)

redis_find() {
    local found
    # Like other daemons it is not always in an ordinary user's PATH.
    found="${STOCKPULSE_REDIS_SERVER:-$(PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" type -P redis-server valkey-server || true)}"
    found="${found%%$'\n'*}"
    [[ -x "$found" ]] || return 1
    export STOCKPULSE_REDIS_SERVER="$found"
}

redis_url() { echo "redis://127.0.0.1:$1"; }

# It would write a title of its own over the command line, by which it is known.
redis_start() {
    serve "$1" "$STOCKPULSE_REDIS_SERVER" --dir "$1" --bind 127.0.0.1 --port "$2" --set-proc-title no \
        "${redis_settings[@]}"
}

redis_answers() { # PORT COMMAND TEXT: does it say this line?
    local line=''
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf '%s\r\n' "$2" QUIT >&3
    while IFS= read -r -t 2 -u 3 line && [[ "$line" != "$3"$'\r' ]]; do :; done
    exec 3>&-
    [[ "$line" == "$3"$'\r' ]]
} 2>/dev/null

# Nobody else has this folder.
redis_ready() { redis_answers "$2" 'CONFIG GET dir' "$1"; }

# While it still reads its file it refuses commands that read.
redis_prepare() { redis_answers "$2" 'EXISTS a' :0; }

redis_contain() { contain 6379 redis:7-alpine "${redis_settings[@]}"; }

redis_contained() { docker exec "$1" redis-cli exists a; }
