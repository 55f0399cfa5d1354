#!/usr/bin/env bash
# Builds the fuzz targets and runs each for some seconds: `bash fuzz/run.sh 20`, or `bash fuzz/run.sh 900 config glob`.
# Any compiler will do: this passes the flags that `cargo fuzz` passes, but for its address sanitizer, which is
# there for unsafe code. With a nightly compiler and cargo-fuzz, `cargo +nightly fuzz run TARGET` does the same with it.
#
# What was found to be interesting stays in fuzz/corpus/TARGET, what fails in fuzz/artifacts/TARGET; the texts to
# begin with are in fuzz/seeds/TARGET. FUZZ_SEED=N chooses the same inputs again, as far as the fuzzer can; without
# it they are others each time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

seconds=${1:?how many seconds for each target?}
shift
targets=("$@")
if [ "${#targets[@]}" -eq 0 ]; then
    for file in fuzz_targets/*.rs; do
        targets+=("$(basename "$file" .rs)")
    done
fi

flags="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
flags+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
flags+=" -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0"
host=$(rustc -vV | sed -n 's/^host: //p')
target_dir=${CARGO_TARGET_DIR:-target}/fuzz
# With a target named, build scripts and macros are built without these flags.
RUSTFLAGS=$flags cargo build --quiet --release --target "$host" --target-dir "$target_dir"

for target in "${targets[@]}"; do
    mkdir -p "corpus/$target" "artifacts/$target"
    log=$target_dir/$target.log
    if ! "$target_dir/$host/release/$target" -seed="${FUZZ_SEED:-0}" -max_total_time="$seconds" \
        -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="artifacts/$target/" \
        "corpus/$target" "seeds/$target" >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        echo "$target: failed; the input is in fuzz/artifacts/$target" >&2
        exit 1
    fi
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1)
    echo "$target: $executions executions, $covered, nothing found"
done
