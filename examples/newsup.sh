#!/bin/sh
# Makes a directory with a log that a running collector fills, for the examples newsup.conf and
# newsup-every-10m.conf (which are written into it, too, with its own paths).
#
#     sh examples/newsup.sh [DIRECTORY]         (/tmp/newsup-demo if none is given)
#     python3 DIRECTORY/controller.py stop      ends the collector
set -eu

demo=${1:-/tmp/newsup-demo}
here=$(cd -- "$(dirname -- "$0")" && pwd)

is_mine() {
    [ "$(stat -c %u -- "$1")" = "$(id -u)" ]
}

# Everybody may write to /tmp: a directory that somebody else has made there is not used.
umask 022
if ! mkdir -- "$demo" 2>/dev/null; then
    if [ -L "$demo" ] || ! is_mine "$demo"; then
        echo "$0: $demo exists and is not yours" >&2
        exit 1
    fi
fi

demo=$(cd -- "$demo" && pwd)

# The collector of an earlier time goes before its files do.
if [ -e "$demo/controller.py" ]; then
    python3 "$demo/controller.py" stop
fi
cp -- "$here/controller.py" "$here/collector.py" "$demo/"
for name in newsup.conf newsup-every-10m.conf; do
    sed "s|/tmp/newsup-demo|$demo|g" "$here/$name" >"$demo/$name"
    # A configuration that others may write is refused; a clone under umask 002 has made it so.
    if [ "$demo" = /tmp/newsup-demo ] && is_mine "$here/$name"; then
        chmod go-w "$here/$name"
    fi
done
python3 "$demo/controller.py" start
