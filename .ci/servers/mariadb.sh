# shellcheck shell=bash
# MariaDB. What has to be in here, postgres.sh says.
# shellcheck disable=SC2034 # read by .ci/services
mariadb_variable=STOCKPULSE_MYSQL_URL mariadb_port=3306 mariadb_packages=mariadb-server
# shellcheck disable=SC2034
mariadb_exports='STOCKPULSE_MARIADBD STOCKPULSE_MARIADB_INSTALL_DB' mariadb_signal=TERM
mariadb_settings=(
    --character-set-server=utf8mb4 --innodb-buffer-pool-size=512M --max-connections=300 --skip-name-resolve
)

mariadb_program() { # NAME…: the first that there is; the daemon is seldom in an ordinary user's PATH
    local found
    found="$(PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" type -P "$@" || true)"
    [[ -n "$found" ]] && echo "${found%%$'\n'*}"
}

# A `mysqld` may also be MySQL's, which is set up in another way.
mariadb_find() {
    local daemon install
    daemon="${STOCKPULSE_MARIADBD:-$(mariadb_program mariadbd mysqld)}" &&
        install="${STOCKPULSE_MARIADB_INSTALL_DB:-$(mariadb_program mariadb-install-db mysql_install_db)}" &&
        mariadb_client="$(mariadb_program mariadb mysql)" &&
        [[ "$("$daemon" --no-defaults --version 2>/dev/null)" == *MariaDB* ]] || return 1
    export STOCKPULSE_MARIADBD="$daemon" STOCKPULSE_MARIADB_INSTALL_DB="$install"
}

mariadb_url() { echo "mysql://stockpulse:stockpulse@127.0.0.1:$1/stockpulse"; }

mariadb_start() {
    if [[ ! -d "$1/data" ]]; then
        as_user "$1" "$STOCKPULSE_MARIADB_INSTALL_DB" --no-defaults --datadir="$1/data" \
            --auth-root-authentication-method=normal --skip-test-db >>"$1/log" 2>&1 || return 1
    fi
    # Durability as MariaDB has it by default: a commit is on disk.
    serve "$1" "$STOCKPULSE_MARIADBD" --no-defaults --datadir="$1/data" --socket="$1/socket" --pid-file="$1/pid" \
        --bind-address=127.0.0.1 --port="$2" "${mariadb_settings[@]}"
}

mariadb_as_root() { # FOLDER SQL
    "$mariadb_client" --no-defaults --socket="$1/socket" --user=root --execute="$2"
}

mariadb_as_client() { # PORT
    "$mariadb_client" --no-defaults --protocol=tcp --host=127.0.0.1 --port="$1" --user=stockpulse \
        --password=stockpulse --database=stockpulse --execute='select 1'
}

# Through the socket, which is in the folder: nobody else has it.
mariadb_ready() { mariadb_as_root "$1" 'select 1'; }

# All privileges, as tests make databases of their own.
mariadb_prepare() {
    mariadb_as_root "$1" "create database stockpulse; create user stockpulse@127.0.0.1 identified by 'stockpulse';
        grant all privileges on *.* to stockpulse@127.0.0.1 with grant option" && mariadb_as_client "$2"
}

mariadb_contain() {
    contain 3306 -e MARIADB_DATABASE=stockpulse -e MARIADB_USER=stockpulse -e MARIADB_PASSWORD=stockpulse \
        -e MARIADB_ROOT_PASSWORD=stockpulse mariadb:11 "${mariadb_settings[@]}"
}

# Not through the socket: while it sets itself up, the container has a first server there and nowhere else. Its user is
# one for every host, as from inside the host's address is Docker's.
mariadb_contained() {
    docker exec "$1" mariadb --protocol=tcp --host=127.0.0.1 --user=stockpulse --password=stockpulse \
        --database=stockpulse --execute='select 1' &&
        docker exec "$1" mariadb --user=root --password=stockpulse \
            --execute="grant all privileges on *.* to stockpulse@'%' with grant option"
}
