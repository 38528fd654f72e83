#!/usr/bin/env bash
# Builds the commit twice, in two folders, with two masks, and holds that both images have one digest.
# Usage: deploy/image/same_bytes.sh [--binary FILE [--metadata FILE]]     (as build.sh takes them; buildah)
# With --binary only the last stage is built, in seconds. Without, the second build compiles weir anew, and what it depends on
# too where the builder's cache was emptied in between.
set -euo pipefail
cd "$(dirname "$0")/../.."
arguments=()
for argument in "$@"; do
    [[ $argument == --* ]] || argument=$(realpath "$argument")
    arguments+=("$argument")
done
[ -z "$(git status --porcelain -- Cargo.toml Cargo.lock LICENSE src benches config deploy/image loadtest/replay)" ] ||
    { echo "same_bytes: the tree has changes that no commit holds: commit them first" >&2; exit 64; }
work=$(mktemp -d)
trap 'rm -rf "$work"; buildah rmi "weir:same-$$-022" "weir:same-$$-077" >/dev/null 2>&1 || true' EXIT

digest() { # MASK FOLDER
    umask "$1"
    mkdir -p "$2"
    git clone --quiet --no-hardlinks . "$2/weir"
    BUILDER=buildah "$2/weir/deploy/image/build.sh" --tag "weir:same-$$-$1" "${arguments[@]}" >"$work/log" 2>&1 ||
        { tail -20 "$work/log" >&2; exit 1; }
    buildah inspect --type image --format '{{.FromImageDigest}}' "weir:same-$$-$1"
}
first=$(digest 022 "$work/one")
second=$(digest 077 "$work/another one/deeper")
echo "first   $first"
echo "second  $second"
[ "$first" = "$second" ] || { echo "same_bytes: one commit gave two images" >&2; exit 1; }
