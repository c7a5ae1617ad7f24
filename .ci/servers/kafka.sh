# shellcheck shell=bash
# Apache Kafka: one node that is broker and controller. What has to be in here, postgres.sh says. There is no package of
# it: Java runs the jars of an installed Kafka, or those that Maven has fetched into the target folder.
# shellcheck disable=SC2034,SC2154 # read by .ci/services, set there
kafka_variable=STOCKPULSE_KAFKA kafka_port=9092 kafka_packages=''
# shellcheck disable=SC2034
kafka_exports='STOCKPULSE_KAFKA_LIBS STOCKPULSE_KAFKA_JAVA' kafka_signal=TERM
kafka_pom="$top/.ci/servers/kafka/pom.xml"
kafka_version="$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$kafka_pom")"
kafka_cache="$root/kafka-$kafka_version" # the jars that Maven fetched

# One node has to do for the internal topics too. Killed and started again, it is back as soon as its old session is over;
# and the first group need not wait for further members.
kafka_settings=(
    'process.roles=broker,controller'
    node.id=1
    controller.listener.names=CONTROLLER
    inter.broker.listener.name=PLAINTEXT
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT'
    auto.create.topics.enable=false
    offsets.topic.replication.factor=1
    offsets.topic.num.partitions=1
    transaction.state.log.replication.factor=1
    transaction.state.log.min.isr=1
    transaction.state.log.num.partitions=1
    share.coordinator.state.topic.replication.factor=1
    share.coordinator.state.topic.min.isr=1
    share.coordinator.state.topic.num.partitions=1
    group.initial.rebalance.delay.ms=0
    broker.session.timeout.ms=1000
    broker.heartbeat.interval.ms=200
    num.network.threads=2
    log.cleaner.dedupe.buffer.size=4194304
)

# Kafka 4 needs Java 17.
kafka_find_java() {
    local java version
    for java in "${STOCKPULSE_KAFKA_JAVA:-}" "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(type -P java || true)"; do
        version="$([[ -x "$java" ]] && "$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')" || continue
        if ((${version:-0} >= 17)); then
            kafka_java="$java"
            return
        fi
    done
    return 1
}

kafka_find_libs() {
    local folder script
    script="$(type -P kafka-server-start.sh kafka-server-start || true)"
    for folder in "${STOCKPULSE_KAFKA_LIBS:-}" "${KAFKA_HOME:+$KAFKA_HOME/libs}" \
        "${script:+$(dirname "$(readlink -f "${script%%$'\n'*}")")/../libs}" "$kafka_cache"; do
        if [[ -n "$folder" ]] && compgen -G "$folder/kafka_2.*.jar" >/dev/null; then
            kafka_libs="$(cd "$folder" && pwd)"
            return
        fi
    done
    return 1
}

# Into a folder that is renamed when it is complete: nobody finds half of the jars.
kafka_fetch() {
    local folder
    kafka_fetched=yes
    say "fetching Apache Kafka $kafka_version with Maven"
    mkdir -p "$root"
    folder="$(mktemp -d "$root/kafka.XXXXXX")" || return 1
    if mvn -B -ntp -q -f "$kafka_pom" -Dinto="$folder/libs" package </dev/null >"$folder/log" 2>&1; then
        if [[ ! -e "$kafka_cache" ]]; then mv "$folder/libs" "$kafka_cache"; fi
    else
        tail -n 20 "$folder/log" >&2
    fi
    rm -rf -- "$folder"
    kafka_find_libs
}

# The newest Debian has no Java 17.
kafka_jre() {
    if grep -qs '^ID=debian' /etc/os-release && ! grep -qsE '^VERSION_ID="1[0-2]"' /etc/os-release; then
        echo openjdk-21-jre-headless
    else
        echo openjdk-17-jre-headless
    fi
}

# Sets also `packages`, what is missing of them, and what to say and to do if nothing helps.
kafka_find() {
    local java=yes libs=yes
    kafka_packages='' kafka_absent='' kafka_fix=''
    if ! kafka_find_java; then
        java=no kafka_packages="$(kafka_jre)"
        kafka_absent='no Java of version 17 or newer, and no Docker answers'
    fi
    if ! kafka_find_libs; then
        libs=no
        if ! command -v mvn >/dev/null; then
            kafka_packages="${kafka_packages:+$kafka_packages }maven"
            kafka_absent="${kafka_absent:-there is Java, but no Kafka, no Maven that could fetch it, and no Docker answers}"
        elif [[ "$java" == yes ]]; then
            kafka_absent="Maven could not fetch Apache Kafka $kafka_version"
            kafka_fix="mvn -f $kafka_pom -Dinto=$kafka_cache package"
            if [[ "${STOCKPULSE_INSTALL:-}" == no ]]; then
                kafka_absent="there is Java, but no Kafka, and STOCKPULSE_INSTALL=no forbids to fetch it"
            elif [[ -z "${kafka_fetched:-}" ]] && kafka_fetch; then
                libs=yes
            fi
        fi
    fi
    if [[ "$java $libs" != 'yes yes' ]]; then return 1; fi
    export STOCKPULSE_KAFKA_JAVA="$kafka_java" STOCKPULSE_KAFKA_LIBS="$kafka_libs"
}

kafka_url() { echo "127.0.0.1:$1"; }

kafka_program() { # FOLDER: sets `kafka_command`, up to the main class
    local libs="$STOCKPULSE_KAFKA_LIBS"
    # The target folder may be one that `nobody` cannot look into.
    if ! as_user "$1" test -r "$libs/." -a -x "$libs/."; then
        libs="$1/libs"
        if [[ ! -d "$libs" ]]; then cp -R "$STOCKPULSE_KAFKA_LIBS" "$libs" && chown -R nobody "$libs"; fi
    fi
    kafka_command=(
        "$STOCKPULSE_KAFKA_JAVA" -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData
        -Djava.io.tmpdir="$1/tmp" -Dlog4j2.configurationFile="$1/log4j2.properties" -cp "$libs/*"
    )
}

kafka_start() {
    local controller
    controller="$(free_port)" || return 1
    printf '%s\n' "${kafka_settings[@]}" "controller.quorum.voters=1@127.0.0.1:$controller" \
        "listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$controller" \
        "advertised.listeners=PLAINTEXT://127.0.0.1:$2" "log.dirs=$1/data" "metadata.log.dir=$1/meta" \
        >"$1/server.properties"
    printf '%s\n' status=error appender.console.type=Console appender.console.name=console rootLogger.level=warn \
        appender.console.layout.type=PatternLayout 'appender.console.layout.pattern=[%d] %p %m (%c)%n' \
        rootLogger.appenderRef.console.ref=console >"$1/log4j2.properties"
    kafka_program "$1" || return 1
    if [[ ! -d "$1/data" ]]; then
        # 16 bytes in base64 without marks: they are read as the sign of an option, or not at all.
        kafka_cluster="$(head -c 16 /dev/urandom | base64 | tr '+/' 'ab' | cut -c 1-22)"
        as_user "$1" mkdir data meta tmp &&
            as_user "$1" "${kafka_command[@]}" -Xmx128m kafka.tools.StorageTool format -t "$kafka_cluster" \
                -c "$1/server.properties" >>"$1/log" 2>&1 || return 1
    fi
    serve "$1" "${kafka_command[@]}" kafka.Kafka "$1/server.properties"
}

# Sends a request and looks for a text in the answer. Bash drops the zeros of what it reads, but it can end at them.
kafka_answers() { # PORT REQUEST TEXT
    local piece='' answer='' LC_ALL=C
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    # shellcheck disable=SC2059 # it is made of octal escapes
    printf "$2" >&3
    while [[ "$answer$piece" != *"$3"* ]] && IFS= read -r -t 2 -d '' -u 3 piece; do answer+="$piece"; done
    exec 3>&-
    [[ "$answer$piece" == *"$3"* ]]
} 2>/dev/null

# The answer to Metadata 2, asked for no topic, has the id of the cluster, which is this one's alone.
kafka_ready() {
    kafka_answers "$2" '\0\0\0\016\0\03\0\02\0\0\0\01\377\377\0\0\0\0' "$kafka_cluster"
}

# FindCoordinator 0 for the group `g` makes the topic of offsets, so that the first group need not wait for it. The
# answer has the coordinator's address once there is one.
kafka_prepare() {
    for _ in {1..200}; do
        if kafka_answers "$2" '\0\0\0\015\0\012\0\0\0\0\0\01\377\377\0\01g' 127.0.0.1; then return; fi
        sleep 0.05
    done
    return 1
}

# The port has to be known before: the broker tells it to its clients.
kafka_contain() {
    local setting variable arguments=()
    port="$(free_port)" || return 1
    for setting in "${kafka_settings[@]}" controller.quorum.voters=1@localhost:29093 \
        "listeners=PLAINTEXT://:$port,CONTROLLER://:29093" "advertised.listeners=PLAINTEXT://127.0.0.1:$port" \
        log.dirs=/tmp/data metadata.log.dir=/tmp/meta; do
        variable="$(printf '%s' "${setting%%=*}" | tr '.a-z' '_A-Z')"
        arguments+=(-e "KAFKA_$variable=${setting#*=}")
    done
    docker run --detach --name "$container" --publish "127.0.0.1:$port:$port" "${arguments[@]}" \
        "apache/kafka:$kafka_version" </dev/null >/dev/null
}

kafka_contained() { kafka_prepare - "$port"; }
