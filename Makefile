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
export PATH := $(CURDIR)/.tools/bin:$(PATH)
# Links inside the docs are held too.
export RUSTDOCFLAGS ?= -D warnings

.PHONY: help run build test lint fmt clippy deny advisories docs unit loom fuzz miri bench bench-peers test-peers replay peers clean setup-%

help: ## List these commands
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s%s\n", $$1, $$2 }'

run: build ## Build the release binary and serve with config/weir.toml (CONFIG=FILE for another)
	@$(TARGET)/release/weir serve --config $(CONFIG)

build: setup-build ## Build the release binary
	cargo build --release --locked

test: setup-build setup-lint setup-test lint docs loom unit test-peers ## Prove the project: lint, docs, models, unit, property and end-to-end tests

lint: setup-lint setup-build fmt clippy deny ## Format, clippy and dependency checks

fmt:
	cargo fmt --check

clippy:
	cargo clippy --locked --all-targets --all-features -- -D warnings

deny:
	cargo deny --locked --log-level error check --hide-inclusion-graph licenses bans sources

advisories: setup-lint ## Known holes in dependencies (fetches the RustSec database)
	cargo deny --locked check advisories

docs: setup-build ## Build the API documentation; a warning is a fault
	cargo doc --locked --no-deps

unit: setup-build ## Unit, property, end-to-end, documentation and tidy tests, and a short fuzz run
	timeout $(TEST_TIMEOUT) cargo test --locked --doc
ifeq ($(RUNNER),nextest)
	timeout $(TEST_TIMEOUT) cargo nextest run --locked --no-fail-fast
else
	timeout $(TEST_TIMEOUT) cargo test --locked --no-fail-fast --lib --bins --tests
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

bench: setup-build ## Benches of decide and the limit table
	cargo bench --locked

replay: setup-build ## Replay a log through a running weir: make replay LOG=access.log.gz ARGS="--speed max"
	@test -n "$(LOG)" || { echo "replay: name a log: make replay LOG=access.log.gz" >&2; exit 64; }
	cargo run --release --locked --features replay --bin weir-replay -- $(ARGS) "$(LOG)"

bench-peers: build setup-peers ## Measure weir beside nginx, HAProxy, Envoy and bare Pingora (20 min; ARGS=--quick: 2)
	cargo build --release --locked --manifest-path loadtest/peers/bare/Cargo.toml --target-dir .tools/target
	PYTHONPATH=loadtest/peers python3 -B -m bench --weir $(TARGET)/release/weir --bare .tools/target/release/bare $(ARGS)

peers: bench-peers

test-peers: ## Test the bench of peers, with a run of some seconds where nginx and wrk are installed
	WEIR=$(abspath $(TARGET))/debug/weir python3 -B -m unittest discover -s loadtest/peers

clean: ## Remove what was built (not the tools in .tools)
	cargo clean

setup-%:
	@scripts/setup.sh $*
