#!/bin/sh
# Adds up what several runs of the random cases printed: sh tests/differential/total.sh LOG..
# A case counts once for each id in its line.
exec awk '
/^DIFFERENTIAL_CASES=/ { next }
/ cases in .* without a difference$/ { cases += $1; seconds += $4; same += $6; next }
/ cases differ for no listed reason/ { unexplained += $1; next }
/^ *[0-9]+ [A-Za-z]/ && $0 !~ /cases/ {
    explained += $1
    for (i = 2; i <= NF; i++) if ($i != "+") ids[$i] += $1
}
END {
    printf "cases %d in %d s, the same %d, explained %d, unexplained %d\n", cases, seconds, same, explained, unexplained
    for (id in ids) printf "%8d %s\n", ids[id], id | "sort -k2"
}' "$@"
