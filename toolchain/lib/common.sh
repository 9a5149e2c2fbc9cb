# Shared by the scripts of toolchain/: where things are, and how they speak.
# Sourced with $top set to the root of the tree. POSIX sh.

build=$top/build

# What is going on, in one line, on stderr: stdout belongs to results.
say() { printf '%s\n' "$*" >&2; }

die() {
    say "${0##*/}: $*"
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# The header comment of a script is its help text.
usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$1"; }

hash_of() { sha256sum | cut -c1-64; }

# retry TIMES COMMAND...: mirrors have bad minutes.
retry() {
    left=$1
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        say "    again in 3 s: $1"
        sleep 3
    done
}
