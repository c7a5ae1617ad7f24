# shellcheck shell=bash
# PostgreSQL. A file like this one has, with the server's name before the underscore:
#
#   variable, port, packages   the variable with its URL; the usual port; the packages of Debian, as words
#   exports, signal            further variables, set by find; what ends the server in good order
#   find                       are there binaries? May set `packages` to what is missing, `absent` to what to say in a SKIP,
#                              and `fix` to the line that helps
#   url PORT                   the URL
#   start FOLDER PORT          makes the data in FOLDER unless it did before, and calls `serve`; the command line contains
#                              FOLDER as long as the server runs
#   ready FOLDER PORT          does this very server answer, and not another one on this port?
#   prepare FOLDER PORT        users and databases; asks the way its clients will
#   contain, contained ID      the same in a container: calls `contain`; does it answer, and is all prepared?
# shellcheck disable=SC2034 # read by .ci/services
postgres_variable=STOCKPULSE_PG_URL postgres_port=5432 postgres_packages=postgresql
# shellcheck disable=SC2034
postgres_exports=STOCKPULSE_PG_BIN postgres_signal=INT

# The newest that is complete. Debian keeps them out of PATH, and what is in PATH may be a wrapper.
postgres_find() {
    local found folder program
    found="$(
        {
            if [[ -n "${STOCKPULSE_PG_BIN:-}" ]]; then
                echo "$STOCKPULSE_PG_BIN"
            else
                for program in $(type -ap postgres); do dirname "$(readlink -f "$program")"; done
                printf '%s\n' /usr/lib/postgresql/*/bin
            fi
        } | while read -r folder; do
            for program in postgres initdb psql pg_isready; do
                [[ -x "$folder/$program" ]] || continue 2
            done
            printf '%s %s\n' "$("$folder/postgres" --version | sed 's/^[^0-9]*//; s/ .*//')" "$folder"
        done | sort -V | tail -n 1
    )"
    [[ -n "$found" ]] || return 1
    export STOCKPULSE_PG_BIN="${found#* }"
}

postgres_url() { echo "postgres://stockpulse@127.0.0.1:$1/stockpulse"; }

postgres_start() {
    if [[ ! -d "$1/data" ]]; then
        as_user "$1" "$STOCKPULSE_PG_BIN/initdb" -D "$1/data" -U stockpulse --auth=trust --encoding=UTF8 \
            --locale=C.UTF-8 >>"$1/log" 2>&1 || return 1
    fi
    # Everything else, durability above all, as Postgres has it by default.
    serve "$1" "$STOCKPULSE_PG_BIN/postgres" -D "$1/data" -p "$2" -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories="$1" -c max_connections=300
}

# Through the socket, which is in the folder: nobody else has it.
postgres_ready() { "$STOCKPULSE_PG_BIN/pg_isready" -q -h "$1" -p "$2"; }

postgres_prepare() {
    "$STOCKPULSE_PG_BIN/psql" -X -q -w -v ON_ERROR_STOP=1 -h "$1" -p "$2" -U stockpulse -d postgres \
        -c 'create database stockpulse' &&
        "$STOCKPULSE_PG_BIN/psql" -X -q -w -d "$(postgres_url "$2")" -c 'select 1'
}

postgres_contain() {
    contain 5432 --shm-size=256m -e POSTGRES_USER=stockpulse -e POSTGRES_DB=stockpulse \
        -e POSTGRES_HOST_AUTH_METHOD=trust -e POSTGRES_INITDB_ARGS='--encoding=UTF8 --locale=C.UTF-8' \
        postgres:16-alpine -c max_connections=300
}

# Not through the socket: while it sets itself up, the container has a first server there and nowhere else.
postgres_contained() {
    docker exec "$1" psql -X -q -w -h 127.0.0.1 -U stockpulse -d stockpulse -c 'select 1'
}
