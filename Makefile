# weir's commands. `make help` lists them; README.md has the two that matter: make run, make test.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

TARGET := $(or $(CARGO_TARGET_DIR),target)
CONFIG ?= config/weir.toml
# cargo-nextest where it is installed, else plain cargo test; RUNNER=test forces the latter.
RUNNER ?= $(shell command -v cargo-nextest >/dev/null 2>&1 && echo nextest || echo test)
# The whole test run ends after this long, so that a hang is a failure.
TEST_TIMEOUT ?= 15m
# Half of the tests wait most of their time.
TEST_THREADS ?= $(shell echo $$(( ($$(nproc) * 3 + 1) / 2 )))
export PATH := $(CURDIR)/.tools/bin:$(PATH)
# Links inside the docs are held too.
export RUSTDOCFLAGS ?= -D warnings
# A reason may hold any character: the shell gets it as a variable.
export WHY

.PHONY: help run build release-pgo release-graviton test lint fmt clippy deny advisories docs unit loom fuzz miri \
	bench bench-instructions bench-peers test-peers replay flood-report flood-proxy away signals peers load scenarios verify-deploy verify-deploy-short drill drill-short image clean setup-%

help: ## List these commands
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-26s%s\n", $$1, $$2 }'

run: build ## Build the release binary and serve with config/weir.toml (CONFIG=FILE for another)
	@$(TARGET)/release/weir serve --config $(CONFIG)

build: setup-build ## Build the release binary (TARGET_CPU=x86-64-v3 for processors since 2013, native for this one)
	$(if $(TARGET_CPU),RUSTFLAGS="-Ctarget-cpu=$(TARGET_CPU)") cargo build --release --locked

release-pgo: setup-build setup-load setup-pgo ## Build with profile-guided optimisation, trained by the load scenarios
	scripts/pgo.sh

# Neoverse N1 is Graviton2: the oldest that ECS offers, so its code runs on every later one.
GRAVITON := aarch64-unknown-linux-gnu
release-graviton: setup-build setup-graviton ## Build for Graviton (Arm) on any machine (TARGET_CPU=neoverse-v1: from Graviton3 on)
	CC_$(subst -,_,$(GRAVITON))=aarch64-linux-gnu-gcc CXX_$(subst -,_,$(GRAVITON))=aarch64-linux-gnu-g++ \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	RUSTFLAGS="-Ctarget-cpu=$(or $(TARGET_CPU),neoverse-n1)" cargo build --release --locked --target $(GRAVITON)

# Everything: lint, docs, models, unit, property and end-to-end tests, load scenarios, instruction counts.
test: setup-build setup-lint setup-test setup-aws setup-load lint docs loom unit test-peers scenarios bench-instructions verify-deploy-short drill-short ## Prove the project

lint: setup-lint setup-build fmt clippy deny ## Format, clippy and dependency checks

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy --locked --workspace --all-targets --all-features -- -D warnings

deny:
	cargo deny --locked --log-level error check --hide-inclusion-graph licenses bans sources

advisories: setup-lint ## Known holes in dependencies (fetches the RustSec database)
	cargo deny --locked check advisories

docs: setup-build ## Build the API documentation; a warning is a fault
	cargo doc --locked --no-deps

# With AWS: the tests start emulators of it from .tools (make setup-aws).
unit: setup-build ## Unit, property, end-to-end, documentation and tidy tests, and a short fuzz run
	timeout $(TEST_TIMEOUT) cargo test --locked --doc --features aws
ifeq ($(RUNNER),nextest)
	timeout $(TEST_TIMEOUT) cargo nextest run --locked --no-fail-fast --features aws --test-threads $(TEST_THREADS)
else
	timeout $(TEST_TIMEOUT) cargo test --locked --no-fail-fast --lib --bins --tests --features aws
endif

loom: setup-build ## Check the lock-free code in every interleaving
	cargo test --locked --release --manifest-path tests/loom/Cargo.toml --target-dir $(TARGET)/loom

fuzz: setup-build setup-fuzz ## Fuzz every parser with coverage (needs nightly; SECONDS_EACH=60)
	@for target in $$(cargo +nightly fuzz list); do \
		echo "fuzz: $$target"; \
		cargo +nightly fuzz run --target-dir $(TARGET)/fuzz $$target -- -max_total_time=$(or $(SECONDS_EACH),60); \
	done

miri: setup-build ## Run the limit table's unit tests under miri (needs nightly with miri)
	cargo +nightly miri test --manifest-path tests/loom/Cargo.toml --target-dir $(TARGET)/miri

bench: setup-build ## Time every part of the hot path, beside governor, DashMap and pingora-limits: docs/reports/bench.md
	rm -rf $(TARGET)/criterion
	cargo bench --locked -p weir-bench
	cargo run --quiet --release --locked -p weir-bench --bin bench-report -- $(TARGET)/criterion

bench-instructions: setup-build setup-instructions ## Count the hot path's instructions against the baseline (WHY="reason" accepts new ones)
	cargo run --quiet --release --locked -p weir-bench --bin instructions -- $(if $(WHY),accept "$$WHY")

# Real traffic and real attackers beside the generated ones, where they are.
TRACES := ../shared/traces
BACKGROUNDS = $(wildcard $(foreach t,wp2016_shared semicomplete2015 secrepo_2021_2022,$(TRACES)/$(t)/requests.tsv.zst))
BOTS = $(and $(BACKGROUNDS),--attackers $(TRACES)/killnet_ips_shared/ips.txt.zst --hosting $(TRACES)/ipsum_level3/ips.txt.zst --asn $(TRACES)/asn_table/asn-ipv4.csv.zst)
flood-report: build ## Play every attack and crowd over ten seeds: docs/reports/flood.md (ARGS=--quick: two seeds; 1 h)
	env -u WEIR_CONFIG $(TARGET)/release/weir simulate --scenario all --seeds $(if $(filter --quick,$(ARGS)),2,10) \
		$(addprefix --background ,generated $(BACKGROUNDS)) $(BOTS) --report docs/reports

replay: setup-build ## Replay a log through a running weir: make replay LOG=access.log.gz ARGS="--speed max"
	@test -n "$(LOG)" || { echo "replay: name a log: make replay LOG=access.log.gz" >&2; exit 64; }
	cargo run --release --locked --features replay --bin weir-replay -- $(ARGS) "$(LOG)"

flood-proxy: setup-build ## Play a flood in real time through the running proxy and beside it the simulator (SCENARIOS="botnet mimic")
	cargo test --release --locked --test flood_proxy -- --ignored --nocapture

away: setup-build setup-load ## Throughput while AWS and the fleet's store are black holes, beside that without them
	cargo build --release --locked --features aws
	python3 -B loadtest/away.py --weir $(TARGET)/release/weir

signals: setup-build setup-load ## What logging every request, hanging collectors and an open live page cost (3 min)
	cargo build --release --locked --features aws
	python3 -B loadtest/signals.py --weir $(TARGET)/release/weir

bench-peers: build setup-peers ## Measure weir beside nginx, HAProxy, Envoy and bare Pingora (20 min; ARGS=--quick: 2)
	$(if $(TARGET_CPU),RUSTFLAGS="-Ctarget-cpu=$(TARGET_CPU)") cargo build --release --locked --manifest-path loadtest/peers/bare/Cargo.toml --target-dir .tools/target
	PYTHONPATH=loadtest/peers python3 -B -m bench --weir $(TARGET)/release/weir --bare .tools/target/release/bare \
		$(addprefix --weir-pgo ,$(wildcard $(TARGET)/release-pgo/weir)) $(ARGS)

peers: bench-peers

test-peers: ## Test the bench of peers, with a run of some seconds where nginx and wrk are installed
	WEIR=$(abspath $(TARGET))/debug/weir python3 -B -m unittest discover -s loadtest/peers

# Parameters (URL, DURATION, RATE, …) reach the scenario by the environment: loadtest/README.md.
export WEIR ?= $(TARGET)/release/weir
load: $(if $(SCENARIO),setup-load $(if $(URL)$(filter-out file,$(origin WEIR)),,build)) ## Run a load scenario: make load SCENARIO=mixed (without one: list them)
	@loadtest/run.py $(SCENARIO)

scenarios: setup-build setup-load ## Every load scenario for some seconds, and that each of its thresholds can fail
	cargo test --locked --features aws --test binary --no-run # with the binary itself, as `unit` has built it
	WEIR=$(abspath $(TARGET))/debug/weir timeout $(TEST_TIMEOUT) python3 -B -m unittest discover -s loadtest/tests -t loadtest

verify-deploy: setup-deploy ## Verify deploy/ without a cloud: a real apply, our rules, checkov, linters, seeded faults (STEPS="plan faults", ARGS=--short)
	@python3 -B deploy/verify/verify.py $(ARGS) $(STEPS)

# A clone of a machine without Terraform can still prove the rest.
verify-deploy-short:
	@if command -v terraform >/dev/null; then scripts/setup.sh deploy-short && python3 -B deploy/verify/verify.py --short; else echo "verify-deploy: left out, terraform is missing"; fi

# The same of who may not install HAProxy.
drill-short:
	@if [ "$$(id -u)" = 0 ] || PATH="$$PATH:/usr/sbin" command -v haproxy >/dev/null; then scripts/setup.sh drill && \
		timeout 180 python3 -B deploy/drill/run --short --weir $(TARGET)/debug/weir; else echo "drill: left out, haproxy is missing"; fi

drill: setup-build setup-drill ## Release and roll back real weir processes under load, on an emulated AWS (8 min; ARGS="--short", ARGS="broken killed")
	cargo build --release --locked --features aws
	@python3 -B deploy/drill/run --weir $(TARGET)/release/weir $(ARGS)

image: ## Build the image from source and prove its promises (docker, or podman and buildah; 15 min the first time)
	deploy/image/build.sh --tag weir:dev
	deploy/image/test.sh weir:dev

clean: ## Remove what was built (not the tools in .tools)
	cargo clean

setup-%:
	@scripts/setup.sh $*
