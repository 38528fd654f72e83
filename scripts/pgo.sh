#!/usr/bin/env bash
# Builds weir with profile-guided optimisation: an instrumented build, trained with the load scenarios, then built again.
# Usage: scripts/pgo.sh     (make release-pgo installs what it needs first)
#
#   PROFILE=FILE    use this profile in place of training: the same profile, source and compiler give the same code
#   TARGET_CPU=CPU  x86-64-v3, neoverse-n1, native...; by default what every processor of this kind can run
#
# The result is target/release-pgo/weir with its profile beside it. Some 12 minutes on two cores, 4 with PROFILE.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
host=$(rustc -vV | sed -n 's/^host: //p')
work=$(mkdir -p "$target/pgo" && cd "$target/pgo" && pwd)
out=$target/release-pgo
profdata=$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata
cpu=${TARGET_CPU:+-Ctarget-cpu=$TARGET_CPU}

# Both halves of the work, the good and the bad: passing, bodies both ways, HTTP/2, refusals, new connections, heads
# that dawdle. What is measured with wrk and h2load is not what it is trained with.
scenarios=(smoke steady mixed upload-download login-guessing single-source-flood distributed-flood low-and-slow
    oha-pass oha-http2 oha-refuse oha-new-connections oha-refuse-new-connections)

say() { printf 'pgo: %s\n' "$*" >&2; }

# With --target, build scripts and procedural macros are built as ever.
build() { # FLAGS DIR
    RUSTFLAGS="$1 $cpu" cargo build --release --locked --target "$host" --target-dir "$work/$2" --bin weir
}

train() {
    say "1 of 3: an instrumented build"
    rm -rf "$work/profiles"
    build "-Cprofile-generate=$work/profiles" instrumented
    say "2 of 3: training with ${#scenarios[@]} scenarios (2 minutes)"
    # An instrumented weir is slow: verdicts on speed mean nothing, the traffic is the same.
    SHORT=1 OUT="$work/scenarios" loadtest/run.py --weir "$work/instrumented/$host/release/weir" "${scenarios[@]}" >&2 ||
        say "some scenario's verdict was not met: see above; its traffic counts all the same"
    ls "$work"/profiles/*.profraw >/dev/null 2>&1 || {
        say "no profile was written: weir did not run, see above"
        exit 70
    }
    "$profdata" merge -o "$work/weir.profdata" "$work"/profiles/*.profraw
}

if [ -n "${PROFILE:-}" ]; then
    cp "$PROFILE" "$work/weir.profdata"
else
    train
fi
say "3 of 3: the build"
build "-Cprofile-use=$work/weir.profdata" optimised
mkdir -p "$out"
cp "$work/optimised/$host/release/weir" "$work/weir.profdata" "$out/"
say "built $out/weir ($(sha256sum "$out/weir" | cut -c1-16)) with $(sha256sum "$out/weir.profdata" | cut -c1-16)"
