# shellcheck shell=bash
# What dependencies must be like (deny.toml). Sourced by .ci/run, from the top of the repository.

# Prints where cargo-deny is. It is built once, and kept with what cargo builds.
cargo_deny() {
    local version=0.20.2 tools
    tools=${CARGO_TARGET_DIR:-target}/tools
    if [ "$("$tools/bin/cargo-deny" --version 2>/dev/null)" != "cargo-deny $version" ]; then
        # Without optimisation: it takes longer to build than to run.
        cargo install --quiet --debug --locked --root "$tools" --version "$version" cargo-deny >&2
    fi
    echo "$tools/bin/cargo-deny"
}

# Licences, sources and double versions always; advisories where their database can be fetched.
dependencies_are_sound() {
    local deny complaints
    deny=$(cargo_deny)
    "$deny" --locked check licenses bans sources
    if complaints=$("$deny" --locked check advisories 2>&1); then
        echo "no advisory against a dependency"
    elif grep -q 'failed to fetch advisory database' <<<"$complaints"; then
        echo "NOT CHECKED: the advisory database cannot be fetched from here; run \`cargo deny check advisories\` where it can"
    else
        echo "$complaints" >&2
        return 1
    fi
}
