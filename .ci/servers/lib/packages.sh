# shellcheck shell=bash
# Servers from the packages of Debian and Ubuntu. Part of .ci/services.
# shellcheck disable=SC2154 # set there

can_install() {
    ((EUID == 0)) && [[ "${STOCKPULSE_INSTALL:-}" != no && -f /etc/debian_version ]] && command -v apt-get >/dev/null
}

# One at a time, as two runs may want the same; and none of the system's own services is started by it.
install() { # PACKAGES, as words
    local log="$state/install.log"
    say "installing $1"
    if (
        flock 9
        guard=/usr/sbin/policy-rc.d
        if [[ ! -e "$guard" ]]; then
            trap 'rm -f "$guard"' EXIT
            printf '#!/bin/sh\nexit 101\n' >"$guard"
            chmod 755 "$guard"
        fi
        export DEBIAN_FRONTEND=noninteractive
        read -r -a packages <<<"$1"
        apt-get update -qq 9>&- || true # an index that could not be renewed may still do
        apt-get install -qq -y --no-install-recommends "${packages[@]}" 9>&-
    ) 9>/run/stockpulse-services.lock </dev/null >"$log" 2>&1; then
        return 0
    fi
    tail -n 20 "$log" >&2
    return 1
}
