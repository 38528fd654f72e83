#!/usr/bin/env bash
# Puts one fault after the other into the image, and holds that test.sh finds each: a test that can't fail proves nothing.
# Usage: deploy/image/faults.sh [IMAGE]       (weir:dev unless said; buildah and podman; two to four minutes)
set -euo pipefail
cd "$(dirname "$0")"
image=${1:-weir:dev} broken=localhost/weir-fault:$$ found=0 missed=0
work=$(mktemp -d)
trap 'rm -rf "$work"; buildah rmi "$broken" >/dev/null 2>&1 || true' EXIT

# fault WHAT-TEST-SAYS CHANGE...: the change gets the name of a container of the image, as its last argument.
fault() {
    local says=$1 container && shift
    container=$(buildah from --pull=false "$image")
    "$@" "$container" >/dev/null
    buildah commit --quiet --format docker --rm "$container" "$broken" >/dev/null
    ./test.sh "$broken" >"$work/output" 2>&1 || true
    if grep -q "^  FAIL  $says" "$work/output"; then
        found=$((found + 1)) && echo "  ok    found: $says"
    else
        missed=$((missed + 1)) && echo "  FAIL  missed: $says" && tail -3 "$work/output"
    fi
}
config() { buildah config "$@"; }
add() { buildah add --quiet --chmod "$1" --chown 0:0 "$4" "$2" "$3"; }
root_owns_state() {
    local root
    root=$(buildah mount "$1")
    chown 0:0 "$root/var/lib/weir"
    buildah umount "$1"
}

head -c 8000000 /dev/urandom >"$work/ballast"
{ cat /proc/self/exe && echo; } >"$work/program"
fault "it weighs" add 0644 "$work/ballast" /ballast
fault "the only programs are weir" add 0755 "$work/program" /usr/bin/sh
fault "nobody's rights can be taken" add 4755 "$work/ballast" /usr/bin/weir-admin
fault "its list of parts is inside, and of this very binary" add 0644 "$work/ballast" /usr/share/weir/sbom.cdx.json
fault "its user is a number and not 0" config --user 0:0
fault "its process is not root" config --user 0:0
fault "it has a health check" config --healthcheck NONE
fault "it is ended by SIGTERM" config --stop-signal SIGKILL
fault "it has the label revision" config --label org.opencontainers.image.revision-
fault "what weir writes to is its own" root_owns_state
echo "image faults: $found found, $missed missed"
[ "$missed" = 0 ]
