#!/bin/sh
# The whole story: a broker, a collector that keeps its log open for ever, 20 rotations under load in each
# of four ways, and the proof that every message is in exactly one file and was analysed exactly once.
#
#     sh run.sh [LOGROTATE-RS [ROTATIONS]]
#
# Needs Debian's rabbitmq-server and python3-pika, and no other rights than its user has. All of it happens in a
# temporary directory; the broker is one of its own, which listens on this machine alone, and ends with the script.
set -eu

program=$(command -v "${1:-logrotate-rs}") || { echo "$0: no logrotate-rs" >&2; exit 1; }
program=$(realpath -- "$program")
rotations=${2:-20}
here=$(cd -- "$(dirname -- "$0")" && pwd)
# Debian's, which its python3-pika is for.
PATH=/usr/bin:$PATH
PYTHONDONTWRITEBYTECODE=1
export PATH PYTHONDONTWRITEBYTECODE
umask 022
# On a disk: what copytruncate does there without a loss, a file system in memory cannot.
work=$(mktemp -d "${TMPDIR:-/var/tmp}/newsup-XXXXXX")
chmod 755 "$work"
broker=
publisher=
dir=

finish() {
    status=$?
    trap - EXIT INT TERM
    if [ -n "$publisher" ]; then kill "$publisher" 2>/dev/null || true; fi
    if [ -n "$dir" ]; then python3 "$dir/controller.py" stop || true; fi
    if [ -n "$broker" ]; then
        kill "$broker" 2>/dev/null || true
        wait "$broker" 2>/dev/null || true
        # The broker has started one, for itself alone, on a port of its own.
        epmd -kill >/dev/null 2>&1 || true
    fi
    if [ "$status" -ne 0 ] && [ -e "$work/broker/output" ]; then tail -n 20 "$work/broker/output" >&2; fi
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM

# Three ports that nobody has: for clients, for other brokers, and for Erlang's directory of brokers.
free_ports() {
    python3 -c 'import socket
sockets = [socket.socket() for _ in range(3)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))'
}

start_broker() {
    # shellcheck disable=SC2046 # three words
    set -- $(free_ports)
    mkdir -p "$work/broker/home"
    export NEWSUP_BROKER_PORT="$1" RABBITMQ_NODE_PORT="$1" RABBITMQ_DIST_PORT="$2" ERL_EPMD_PORT="$3"
    export ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
    export RABBITMQ_NODENAME=newsup@localhost RABBITMQ_LOGS=-
    export RABBITMQ_MNESIA_BASE="$work/broker/data" RABBITMQ_LOG_BASE="$work/broker/log"
    # Nothing of what the machine's own broker is set to.
    export RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$work/broker/none"
    export RABBITMQ_ENABLED_PLUGINS_FILE="$work/broker/plugins"
    export RABBITMQ_FEATURE_FLAGS_FILE="$work/broker/flags"
    # It does not wait in a loop for more work.
    export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none"
    # With its input it is a process that a plain TERM ends in good order.
    HOME="$work/broker/home" RABBITMQ_ALLOW_INPUT=1 \
        /usr/lib/rabbitmq/bin/rabbitmq-server -noshell -noinput >"$work/broker/output" 2>&1 &
    broker=$!
    tries=0
    until (cd "$here" && python3 -c 'import broker; broker.connect().close()' 2>/dev/null); do
        tries=$((tries + 1))
        if [ "$tries" -gt 200 ] || ! kill -0 "$broker" 2>/dev/null; then
            echo "$0: the broker does not start" >&2
            exit 1
        fi
        sleep 0.3
    done
}

# The example in a directory of its own.
lay_out() {
    dir=$work/$1
    mkdir "$dir"
    cp "$here"/*.py "$dir/"
    sed "s|/srv/newsup|$dir|g" "$here/$1.conf" >"$dir/$1.conf"
}

# Waits until the log has more than a block, so that there is something to rotate in each way.
wait_for_lines() {
    tries=0
    until [ "$(wc -l 2>/dev/null <"$dir/user.log" || echo 0)" -ge 150 ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 3000 ]; then
            echo "$0: the collector does not write" >&2
            exit 1
        fi
        sleep 0.02
    done
}

rotate() {
    "$program" -f -s "$dir/state" "$dir/$name.conf"
    # Without a hook nobody is told that there is a new file.
    if [ "$name" = newsup-copytruncate ]; then python3 "$dir/analyzer.py" "$dir/user.log.1"; fi
}

# Publishes while the log is rotated all but once; the last time there is nothing left to come.
variant() {
    name=$1
    lay_out "$name"
    python3 "$dir/controller.py" start
    python3 "$here/publisher.py" >"$dir/published" &
    publisher=$!
    done=1
    while [ "$done" -lt "$rotations" ]; do
        wait_for_lines
        rotate
        done=$((done + 1))
    done
    kill "$publisher"
    wait "$publisher"
    publisher=
    published=$(cat "$dir/published")
    python3 "$dir/account.py" wait "$published"
    # What is in use keeps its last part for the next time; this is the last time.
    if [ "$name" = newsup-copytruncate ]; then python3 "$dir/controller.py" stop; fi
    rotate
    python3 "$dir/controller.py" stop
    printf '%s, %s rotations: ' "$name" "$rotations"
    python3 "$dir/account.py" "$published"
    dir=
}

start_broker
for name in newsup newsup-hup newsup-signal newsup-copytruncate; do
    variant "$name"
done
