#!/usr/bin/env bash
# Proves what the image promises, by running it the way ECS does: read-only, no capabilities, not root, little memory,
# before a service of its own. Everything stays on loopback.
# Usage: deploy/image/test.sh [IMAGE]         (weir:dev unless said; podman, or RUNNER=docker)
#   MAX_MB=25         the most that it may weigh packed, as a registry holds it, in millions of bytes
#   MAX_UNPACKED_MB=33  and unpacked, as a task holds it
#   READY_MS=1000     the longest from the process's start until it answers
#   RUN_FLAGS="…"     more flags for the runner; what podman needs where there is no systemd is found out below
set -euo pipefail
cd "$(dirname "$0")"
image=${1:-weir:dev} max_mb=${MAX_MB:-25} max_unpacked_mb=${MAX_UNPACKED_MB:-33} ready_ms=${READY_MS:-1000}
runner=${RUNNER:-$(command -v podman || command -v docker || true)}
[ -n "$runner" ] || { echo "test: neither podman nor docker is here: install one" >&2; exit 69; }
# podman looks for the firewall's commands, which Debian keeps where only root looks.
export PATH="$PATH:/usr/sbin:/sbin"
run=("$runner") flags=()
if [[ $runner == *podman ]]; then
    # The image's own check may be missing (OCI's format has no room for one), and is run by hand: nothing waits.
    flags+=(--health-cmd '["/usr/bin/weir","status"]' --health-interval disable)
    if [ ! -d /run/systemd/system ]; then
        run+=(--cgroup-manager cgroupfs)
        flags+=(--ulimit nproc=4096:4096)
        # It complains of every container's end that without systemd there is no timer to remove.
        exec 2> >(grep --line-buffered -v 'Removing timer' >&2)
        # crun runs on the second version of control groups only.
        [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || run+=(--runtime runc)
    fi
fi
read -ra more <<<"${RUN_FLAGS:-}"
flags+=(--network host --read-only --cap-drop ALL --security-opt no-new-privileges --memory 512m
    --ulimit nofile=4096:4096 ${more[@]+"${more[@]}"})

work=$(mktemp -d) name=weir-test-$$ passed=0 failed=0 skipped=0 origin=''
tidy() {
    "${run[@]}" rm --force --volumes "$name" >/dev/null 2>&1 || true
    [ -z "$origin" ] || kill "$origin" 2>/dev/null || true
    rm -rf "$work"
}
trap tidy EXIT

expect() { # WHAT CONDITION...
    local what=$1 && shift
    if "$@" >"$work/output" 2>&1; then
        passed=$((passed + 1)) && echo "  ok    $what"
    else
        failed=$((failed + 1)) && echo "  FAIL  $what" && sed 's/^/        /' "$work/output"
    fi
}
refute() { ! "$@"; }
now_ms() { date +%s%3N; }
# until_true WHAT CONDITION...: looks until it holds; a test that waits for ever says nothing.
until_true() {
    local what=$1 end=$(($(now_ms) + 15000)) && shift
    until "$@" >/dev/null 2>&1; do
        [ "$(now_ms)" -lt "$end" ] || { "${run[@]}" logs "$name" >&2 || true; echo "test: waited 15 s: $what" >&2; exit 1; }
    done
}
facts() { "${run[@]}" inspect --format "$1" "$name"; }
image_facts() { "${run[@]}" image inspect --format "$1" "$image"; }
status_of() { curl -s -m 5 -o /dev/null -w '%{http_code}' "$@" || true; }
answers() { [ "$(status_of "${@:2}")" = "$1" ]; }

# start CONFIG-LINE...: runs the image with a config that ends in these lines. Sets port, admin_port.
start() {
    "${run[@]}" rm --force --volumes "$name" >/dev/null 2>&1 || true
    read -r port admin_port < <(python3 -c 'import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(one.getsockname()[1] for one in held))')
    cat >"$work/weir.toml" <<-END
	listen = { http = ["127.0.0.1:$port"], drain_delay = "${drain_delay:-0s}", drain_timeout = "20s" }
	origin = { addresses = ["127.0.0.1:$(cat "$work/port")"] }
	[admin]
	address = "127.0.0.1:$admin_port"
	$(printf '%s\n' "$@")
	END
    chmod 0644 "$work/weir.toml"
    "${run[@]}" run --detach --name "$name" "${flags[@]}" --env "WEIR_ADMIN=http://127.0.0.1:$admin_port" \
        --volume "$work/weir.toml:/etc/weir/weir.toml:ro" ${variables[@]+"${variables[@]}"} "$image" >/dev/null
}
exit_code() { timeout 30 "${run[@]}" wait "$name" || echo none; }
stop() { # sets code, took_ms
    local began
    began=$(now_ms)
    "${run[@]}" kill --signal TERM "$name" >/dev/null
    code=$(exit_code)
    took_ms=$(($(now_ms) - began))
}

image_size() {
    local size packed
    # Packed is what a registry holds, bills and sends; ECR shows that figure too.
    size=$(image_facts '{{.Size}}')
    packed=$("$runner" save "$image" 2>/dev/null | gzip -6 | wc -c)
    expect "it weighs $(mb "$packed") MB packed by gzip, of $max_mb" [ "$packed" -le $((max_mb * 1000000)) ]
    expect "and $(mb "$size") MB unpacked, of $max_unpacked_mb" [ "$size" -le $((max_unpacked_mb * 1000000)) ]
}
mb() { echo "$(($1 / 1000000)).$(($1 / 100000 % 10))"; }

image_config() {
    expect "its user is a number and not 0" [ "$(image_facts '{{.Config.User}}')" = 65532:65532 ]
    expect "it is ended by SIGTERM" [ "$(image_facts '{{.Config.StopSignal}}')" = SIGTERM ]
    expect "it declares the folder that weir writes to" grep -q '"/var/lib/weir"' <<<"$(image_facts '{{json .Config.Volumes}}')"
    # OCI's format has no room for a health check.
    if [ "$(image_facts '{{.ManifestType}}' 2>/dev/null)" != application/vnd.oci.image.manifest.v1+json ]; then
        expect "it has a health check" grep -qF '"Test":["CMD","/usr/bin/weir","status"]' <<<"$("$runner" image inspect "$image" | tr -d ' \n')"
    fi
    for label in version revision created licenses source; do
        expect "it has the label $label" [ -n "$(image_facts "{{index .Config.Labels \"org.opencontainers.image.$label\"}}")" ]
    done
}

# What is in it, read out of a container that never runs: an image without a shell can't be asked.
image_files() {
    "${run[@]}" create --name "$name" "$image" >/dev/null
    "${run[@]}" export "$name" | tar --list --verbose --numeric-owner >"$work/files"
    # The runner lays down empty files of its own in /etc, and folders for what it mounts.
    awk '$1 ~ /^-..[xs]|^-.....[xs]|^-........[xt]/ { print $6 }' "$work/files" | sort >"$work/executable"
    expect "the only programs are weir and the C library: $(grep -c . "$work/executable")" \
        [ -z "$(grep -vE '^(usr/bin/weir|(usr/)?lib(64)?/.*\.so[.0-9]*)$' "$work/executable")" ]
    expect "nobody's rights can be taken: no file has setuid or setgid" refute grep -Eq '^-..[sS]|^-.....[sS]' "$work/files"
    expect "what weir writes to is its own, with mode 0750" grep -Eq '^drwxr-x--- 65532/65532 .* var/lib/weir/?$' "$work/files"
    "${run[@]}" cp "$name:/usr/share/weir" "$work/papers"
    "${run[@]}" cp "$name:/usr/bin/weir" "$work/weir"
    expect "its list of parts is inside, and of this very binary" \
        grep -qF "$(sha256sum "$work/weir" | cut -d' ' -f1)" "$work/papers/sbom.cdx.json"
    expect "its licences are inside" grep -q '^What weir is made of' <<<"$(zcat "$work/papers/LICENCES.txt.gz")"
    "${run[@]}" rm --volumes "$name" >/dev/null
}

starts_and_serves() {
    local began started seen
    began=$(now_ms)
    start
    until_true "weir answers" answers 200 "http://127.0.0.1:$port/first"
    seen=$(now_ms)
    started=$(date -d "$(facts '{{.State.StartedAt}}' | sed 's/ [A-Z].*//')" +%s%3N)
    expect "it answers $((seen - started)) ms after its process began, of $ready_ms ($((seen - began)) with the runner)" \
        [ $((seen - started)) -le "$ready_ms" ]
    expect "a request reaches the service behind it and comes back" \
        [ "$(curl -s -m 5 "http://127.0.0.1:$port/through?a=1")" = "origin saw /through?a=1" ]
    if [[ $runner == *podman ]]; then
        expect "its health check passes, without a shell" "${run[@]}" healthcheck run "$name"
        expect "and the runner calls it healthy" [ "$(facts '{{.State.Healthcheck.Status}}')" = healthy ]
    else
        expect "its health check passes, without a shell" "${run[@]}" exec "$name" /usr/bin/weir status
    fi
    local process
    process=/proc/$(facts '{{.State.Pid}}')/status
    expect "its process is not root" grep -Eq '^Uid:\s65532\s65532\s65532\s65532$' "$process"
    expect "it holds no capability" grep -Eq '^CapEff:\s0+$' "$process"
    expect "it can gain no rights" grep -Eq '^NoNewPrivs:\s1$' "$process"
    expect "its root was read-only all the while" [ "$(facts '{{.HostConfig.ReadonlyRootfs}}')" = true ]
    expect "it can't open a shell" refute "${run[@]}" exec "$name" /bin/sh -c true
    expect "its memory, $(($(awk '/^VmHWM/ { print $2 }' "$process") / 1024)) MiB at most, stays under its limit" \
        [ "$(facts '{{.State.OOMKilled}}')" = false ]
}

stops_when_idle() {
    stop
    expect "idle, it is gone $took_ms ms after SIGTERM, of 2000" [ "$took_ms" -le 2000 ]
    expect "and exits with 0 (it was $code)" [ "$code" = 0 ]
}

# ECS hands secrets over as variables; the config names the variable and never holds the secret.
takes_secrets_from_variables() {
    local secret=a-secret-of-this-test-only variables=(--env ADMIN_TOKEN=a-secret-of-this-test-only --env WEIR_TOKEN_FILE=env:ADMIN_TOKEN)
    start 'token_file = "env:ADMIN_TOKEN"'
    until_true "weir answers or has ended" settled
    if grep -q 'cannot be read as .*env:' <<<"$(logs)"; then
        skipped=$((skipped + 1)) && echo "  skip  secrets by variables: this weir is too old to know env:NAME"
        return
    fi
    local api=http://127.0.0.1:$admin_port/api/status
    expect "its admin address asks for the token" answers 401 "$api"
    expect "the token that a variable holds opens it" answers 200 --header "Authorization: Bearer $secret" "$api"
    expect "its health check has the token too" "${run[@]}" exec "$name" /usr/bin/weir status
    expect "its log does not tell the secret" refute grep -qF "$secret" <<<"$(logs)"
    stop
}
settled() { answers 200 "http://127.0.0.1:$port/first" || [ "$(facts '{{.State.Running}}')" = false ]; }
logs() { "${run[@]}" logs "$name" 2>&1; }

says_what_is_wrong() {
    start 'adress = "127.0.0.1:1"'
    code=$(exit_code)
    expect "a config with a fault ends it with 78 (it was $code)" [ "$code" = 78 ]
    expect "and it says which key, where, and what was meant" grep -q 'weir.toml:5:1: admin: unknown key "adress"; did you mean "address"?' <<<"$(logs)"
}

# One request is with the origin when SIGTERM comes: the load balancer goes on sending for a moment, then nothing new is
# taken, and what is in flight is finished.
drains() {
    drain_delay=1s start
    until_true "weir answers" answers 200 "http://127.0.0.1:$port/first"
    status_of -m 20 "http://127.0.0.1:$port/slow" >"$work/slow" &
    local slow=$!
    until_true "the origin has the slow request" [ -e "$work/arrived" ]
    "${run[@]}" kill --signal TERM "$name" >/dev/null
    local told
    told=$(now_ms)
    expect "after SIGTERM it still answers, as its load balancer does not know yet" answers 200 "http://127.0.0.1:$port/late"
    expect "it says that it is not ready" answers 503 "http://127.0.0.1:$admin_port/readyz"
    until_true "no new connection is taken" answers 000 "http://127.0.0.1:$port/later"
    expect "then it takes nothing new, and waits for what is in flight" [ "$(facts '{{.State.Running}}')" = true ]
    touch "$work/release"
    wait "$slow" || true
    expect "the request in flight was answered: $(cat "$work/slow")" [ "$(cat "$work/slow")" = 200 ]
    code=$(exit_code)
    expect "it drained in $(($(now_ms) - told)) ms and exited with 0 (it was $code)" [ "$code" = 0 ]
}

variables=() drain_delay=''
python3 origin.py "$work" &
origin=$!
until_true "the origin listens" [ -s "$work/port" ]
image_size
image_config
image_files
starts_and_serves
stops_when_idle
takes_secrets_from_variables
says_what_is_wrong
drains
echo "image: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
