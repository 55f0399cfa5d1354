# shellcheck shell=bash
# The parts of .ci/run. Sourced by it, from the top of the repository.

export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
# Every process that this run starts inherits this, however far it detaches itself: that is how
# leftovers are told from other people's processes.
export LOGROTATE_RS_CI_RUN="$$-$RANDOM$RANDOM"

stage_name=

# Announces a stage, and remembers it for the message on failure.
stage() {
    stage_name=$1
    printf '\n==> %s\n' "$stage_name"
}

finish() {
    local status=$?
    trap - EXIT
    end_what_we_started
    if [ "$status" -ne 0 ]; then
        printf '\n==> FAILED: %s (exit status %s)\n' "${stage_name:-set-up}" "$status" >&2
    fi
    exit "$status"
}
trap finish EXIT

install_packages() {
    local wanted=(
        logrotate cron strace faketime procps psmisc python3
        gzip bzip2 xz-utils zstd
        perl ruby php-cli
        e2fsprogs xfsprogs btrfs-progs mount
        man-db mandoc shellcheck
        nginx rsyslog rabbitmq-server python3-pika
    )
    local missing=() package
    for package in "${wanted[@]}"; do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            missing+=("$package")
        fi
    done
    if [ "${#missing[@]}" -eq 0 ]; then
        echo "all installed"
        return
    fi
    export DEBIAN_FRONTEND=noninteractive
    local policy=/usr/sbin/policy-rc.d policy_is_ours=
    # The tests start daemons of their own; the packages' services stay off.
    if ! [ -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        policy_is_ours=yes
    fi
    local status=0
    # What the installation starts all the same is not ours to end afterwards.
    env -u LOGROTATE_RS_CI_RUN apt-get update -qq &&
        env -u LOGROTATE_RS_CI_RUN apt-get install -y -qq --no-install-recommends "${missing[@]}" ||
        status=$?
    if [ -n "$policy_is_ours" ]; then
        rm "$policy"
    fi
    return "$status"
}

# Fetches the configurations that these packages bring, for the tests to read; nothing is installed.
# They stay in target/, and the stage is left out where nothing can be fetched.
fetch_packages_configurations() {
    local packages=(
        apache2 apt cups-daemon dpkg exim4-base fail2ban haproxy mariadb-server nginx-common
        postgresql-common proftpd-core redis-server rsyslog samba-common squid tor ufw
        unattended-upgrades
    )
    local target=${CARGO_TARGET_DIR:-target}/debian-packages package file work
    if ! [ -d "$target" ]; then
        work=$(mktemp -d)
        for package in "${packages[@]}"; do
            if ! (cd "$work" && apt-get download -qq "$package" 2>/dev/null); then
                echo "cannot be fetched: $package"
                continue
            fi
            dpkg-deb -x "$work/$package"_*.deb "$work/$package"
            for file in "$work/$package"/etc/logrotate.d/*; do
                if [ -f "$file" ]; then
                    mkdir -p "$target"
                    cp "$file" "$target/$package.${file##*/}"
                fi
            done
        done
        rm -rf "$work"
    fi
    if [ -d "$target" ]; then
        LOGROTATE_RS_PACKAGES=$(realpath "$target")
        export LOGROTATE_RS_PACKAGES
        echo "$(find "$target" -type f | wc -l) in $target"
    fi
}

# An ignored test needs an id as its reason; unfinished code needs finishing.
no_unfinished_words() {
    local found=0
    if git grep -nE '\b(todo|unimplemented|dbg)!|\bFIXME\b' -- '*.rs' '*.toml' '*.sh' '*.py'; then
        found=1
    fi
    if git grep -nE '#\[ignore' -- '*.rs' | grep -vE '#\[ignore = "(#[0-9]+|[A-Z]+-[0-9]+)'; then
        found=1
    fi
    return "$found"
}

manual_pages_are_sound() {
    local page complaints
    for page in man/*; do
        mandoc -T lint -W warning "$page"
        complaints=$(MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -l -Tutf8 "$page" 2>&1 >/dev/null)
        if [ -n "$complaints" ]; then
            printf '%s: %s\n' "$page" "$complaints"
            return 1
        fi
        echo "$page"
    done
}

# Prints README's n-th `sh` block: README and CI cannot drift apart.
readme_command() {
    awk -v wanted="$1" '
        /^```sh$/ { n++; inside = (n == wanted); next }
        /^```/    { inside = 0 }
        inside    { print }
    ' README.md
}

run_readme_command() {
    local command
    command=$(readme_command "$1")
    if [ -z "$command" ]; then
        echo "README.md has no such command" >&2
        return 1
    fi
    bash -euo pipefail -c "$command"
}

# Prints the ids of the processes that this run started and that are still there.
ours() {
    local dir pid
    for dir in /proc/[0-9]*; do
        pid=${dir#/proc/}
        # Not this shell, nor the pipeline that asks.
        if [ "$pid" = "$$" ] || [ "$pid" = "$BASHPID" ] || ! [ -e "$dir/exe" ]; then
            continue
        fi
        if grep -qzFx "LOGROTATE_RS_CI_RUN=$LOGROTATE_RS_CI_RUN" "$dir/environ" 2>/dev/null; then
            echo "$pid"
        fi
    done
}

# Fails if a test left a process behind. What is just ending gets a moment.
nothing_left_running() {
    local left try
    for try in 1 2 3 4 5 6 7 8 9 10; do
        left=$(ours)
        if [ -z "$left" ]; then
            return 0
        fi
        [ "$try" = 10 ] || sleep 1
    done
    echo "left running:" >&2
    # shellcheck disable=SC2086 # a list of numbers
    ps -o pid,ppid,args -p $left >&2 || true
    return 1
}

# Ends, by its id, each process that this run started.
end_what_we_started() {
    local pid try
    for try in TERM TERM TERM KILL; do
        for pid in $(ours); do
            kill "-$try" "$pid" 2>/dev/null || true
        done
        [ -n "$(ours)" ] || return 0
        sleep 1
    done
}
