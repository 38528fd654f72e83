#!/usr/bin/env bash
# Proves what the image promises, by running it the way ECS does: read-only, no capabilities, not root, little memory.
# Usage: deploy/image/test.sh [IMAGE]         (weir:dev unless said; podman, or RUNNER=docker)
#   MAX_MIB=25        the most that the image may weigh
#   READY_MS=1000     the longest from the process's start until it answers
#   RUN_FLAGS="…"     more flags for the runner; what podman needs where there is no systemd is found out below
set -euo pipefail
image=${1:-weir:dev}
runner=${RUNNER:-$(command -v podman || command -v docker || true)}
[ -n "$runner" ] || { echo "test: podman or docker is needed" >&2; exit 69; }
# podman looks for the firewall's commands, which Debian keeps where only root looks.
export PATH="$PATH:/usr/sbin:/sbin"
max_mib=${MAX_MIB:-25} ready_ms=${READY_MS:-1000}
run=("$runner") flags=()
if [[ $runner == *podman ]] && [ ! -d /run/systemd/system ]; then
    run+=(--cgroup-manager cgroupfs)
    # Without systemd nothing would run the health check by itself; it is run by hand below.
    flags+=(--no-healthcheck --ulimit nproc=4096:4096)
    # crun runs on the second version of control groups only.
    [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || run+=(--runtime runc)
fi
read -ra more <<<"${RUN_FLAGS:-}"
flags+=(--read-only --cap-drop ALL --security-opt no-new-privileges --memory 512m --ulimit nofile=4096:4096
    --publish 127.0.0.1::8080 ${more[@]+"${more[@]}"})
name=weir-test-$$ passed=0 failed=0 mount=''
trap '"${run[@]}" rm --force --volumes "$name" >/dev/null 2>&1 || true' EXIT

expect() { # WHAT CONDITION...
    local what=$1 && shift
    if "$@" >/dev/null 2>&1; then
        passed=$((passed + 1)) && echo "  ok    $what"
    else
        failed=$((failed + 1)) && echo "  FAIL  $what"
    fi
}
now_ms() { date +%s%3N; }
facts() { "${run[@]}" inspect --format "$1" "$name"; }

size=$("$runner" image inspect --format '{{.Size}}' "$image")
mib=$(((size + 1048575) / 1048576))
expect "the image weighs $mib MiB, of $max_mib" [ "$mib" -le "$max_mib" ]
expect "its user is a number and not 0" [ "$("$runner" image inspect --format '{{.Config.User}}' "$image")" = 65532:65532 ]
# OCI's format has no room for one.
if [ "$("$runner" image inspect --format '{{.ManifestType}}' "$image" 2>/dev/null)" != application/vnd.oci.image.manifest.v1+json ]; then
    expect "it has a health check" \
        grep -q 'weir.*status' <<<"$("$runner" image inspect --format '{{json .}}' "$image" | grep -i healthcheck)"
fi
for label in version revision created licenses source; do
    expect "it has the label $label" \
        [ -n "$("$runner" image inspect --format "{{index .Config.Labels \"org.opencontainers.image.$label\"}}" "$image")" ]
done

began=$(now_ms)
"${run[@]}" run --detach --name "$name" "${flags[@]}" "$image" >/dev/null
port=$("${run[@]}" port "$name" 8080 | sed 's/.*://')
until [ "$(curl -s -m 1 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/health" || true)" = 200 ]; do
    [ $(($(now_ms) - began)) -lt 15000 ] || { "${run[@]}" logs "$name" >&2; echo "test: no answer for 15 s" >&2; exit 1; }
done
seen=$(now_ms)
started=$(date -d "$(facts '{{.State.StartedAt}}' | sed 's/ [A-Z].*//')" +%s%3N)
expect "it answers $((seen - started)) ms after its process began, of $ready_ms ($((seen - began)) with the runner)" \
    [ $((seen - started)) -le "$ready_ms" ]
expect "the health check passes" "${run[@]}" exec "$name" /usr/bin/weir status
expect "its process is not root" \
    grep -q '65532.*65532.*65532' "/proc/$(facts '{{.State.Pid}}')/status"
expect "it holds no capability" grep -q '^CapEff:.0*$' "/proc/$(facts '{{.State.Pid}}')/status"
expect "its root can't be written" grep -Eq ' / ro[, ]' <(awk '{print " " $5 " " $6}' "/proc/$(facts '{{.State.Pid}}')/mountinfo")
expect "it can't open a shell" bash -c "! '$runner' exec '$name' /bin/sh -c true"
"${run[@]}" cp "$name:/usr/share/weir/sbom.cdx.json" - >/dev/null 2>&1 && mount=yes
expect "its list of parts is inside" [ -n "$mount" ]

# A drain: one request is in flight, others keep coming, and none may fail.
answers=$(mktemp)
curl -s -m 20 -o /dev/null -w '%{http_code}\n' "http://127.0.0.1:$port/slow?ms=2500" >"$answers" &
slow=$!
sleep 0.3
"${run[@]}" kill --signal TERM "$name" >/dev/null
told=$(now_ms)
expect "it still answers after SIGTERM, as its load balancer does not know yet" \
    curl -sf -m 2 -o /dev/null "http://127.0.0.1:$port/health"
wait "$slow" || true
expect "the request in flight was answered" grep -qx 200 "$answers"
code=$(timeout 60 "${run[@]}" wait "$name" || echo none)
rm -f "$answers"
expect "it drained in $(($(now_ms) - told)) ms and exited with 0 (it was $code)" [ "$code" = 0 ]
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
