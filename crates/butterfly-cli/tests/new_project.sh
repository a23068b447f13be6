#!/bin/sh
# Makes a project outside of the workspace and proves that it passes its own tests, lints and format with no edit.
# CARGO_TARGET_DIR is honoured; the exit code tells.
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

# The folder of a relative CARGO_TARGET_DIR is that of the caller.
case "${CARGO_TARGET_DIR:-/}" in
    /*) ;;
    *) export CARGO_TARGET_DIR="$PWD/$CARGO_TARGET_DIR" ;;
esac

step() {
    printf '%s\n' "new project: $*"
    "$@"
}

butterfly() {
    cargo run --quiet --locked --manifest-path "$root/Cargo.toml" --package butterfly-cli -- "$@"
}

cd "$folder"
step butterfly new new-project --butterfly "$root"
cd new-project
step butterfly add app orders
step butterfly add app shop/orders

# The versions that the workspace is tested with, so that the answer is the same every day.
cp "$root/Cargo.lock" .

step cargo test
step cargo clippy --all-targets -- -D warnings
# shellcheck disable=SC2046  # the paths were made here and have no spaces
step cargo fmt -- --check $(find src/handlers -name '*.rs')
