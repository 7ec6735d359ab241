# What people want to do with this repository; `make` alone lists it. CI runs exactly these.
# A step is one line of a recipe: scripts/step says what it does and how long it took.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help build web demo screenshots test check bench conformance fmt fmt-check clippy tidy test-web test-charts test-cluster

step := scripts/step
# A folder of upstream's promqltest scripts, of recorded answers of a Loki with their check.py, or
# with a prebuilt-promql.json that lists expressions.
CONFORMANCE ?=
# Arguments for `masthead demo`, e.g. make demo DEMO="--for 1m".
DEMO ?=
# Arguments for the comparison, e.g. make bench BENCH=--quick (docs/reference/bench.md).
BENCH ?=
# Arguments for the comparison of logs, e.g. make bench BENCH_LOGS="--megabytes 200".
BENCH_LOGS ?=
# Arguments for the measurement of the collector, e.g. make bench BENCH_COLLECT="--seconds 5".
BENCH_COLLECT ?=
# Arguments for the measurement of the demo, e.g. make bench BENCH_DEMO="--minutes 1".
BENCH_DEMO ?=

help: ## list what can be made
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile | expand -t 12

web: ## build the browser application into web/dist, when its sources are newer
	@$(step) "build the browser application" scripts/quietly scripts/build-web

build: web ## build the release binaries, with the browser application inside
	@scripts/need cargo cc
	@$(step) "build masthead and items-api (release)" cargo build --release --package masthead --package items-api

demo: ## build the release binaries and run the demo: the stack, and the items API under light traffic
	@$(MAKE) --no-print-directory build
	@"$${CARGO_TARGET_DIR:-target}/release/masthead" demo $(DEMO)

check: ## the quick loop: format, clippy, tidy, unit tests
	@scripts/need cargo cc git rustfmt clippy
	@$(MAKE) --no-print-directory fmt-check clippy tidy
	@scripts/run-tests --lib --bins

screenshots: web ## make the pictures of the README anew, over live data
	@scripts/need cargo cc node npm
	@$(step) "build masthead and items-api" cargo build --quiet --package masthead --package items-api
	@mkdir -p docs/images
	@$(step) "pictures of the boards" node web/e2e/screenshots.mjs "$${CARGO_TARGET_DIR:-target}/debug/masthead" "$$(command -v chromium)" docs/images

test: ## everything that must pass before a change lands
	@scripts/need cargo cc git rustfmt clippy node npm python3 python3-venv
	@$(MAKE) --no-print-directory fmt-check tidy test-web clippy
	@scripts/deny
	@$(step) "web: smoke in a browser" scripts/web-smoke
	@$(step) "build masthead and items-api, which the next step runs" scripts/quietly cargo build --package masthead --package items-api
	@$(MAKE) --no-print-directory test-charts
	@$(step) "documentation tests" scripts/quietly cargo test --workspace --doc
	@$(step) "benchmarks, each body once" scripts/quietly cargo test --workspace --bench '*'
	@scripts/run-tests

test-cluster: ## install into the cluster of KUBECONFIG and verify metrics, logs and labels there
	@scripts/test-cluster

test-charts: ## render the charts and the Helmfile with real Helm and check every object
	@$(step) "charts: render, validate, check" scripts/test-charts

bench: ## measure: every benchmark of the workspace, then masthead beside the originals: metrics, logs; then the collector and the demo
	@scripts/need cargo cc
	@$(step) "benchmarks" cargo bench --workspace --bench '*'
	@$(step) "build masthead and its comparison (release)" cargo build --release --package masthead --package items-api --package masthead-bench
	@"$${CARGO_TARGET_DIR:-target}/release/masthead-bench" $(BENCH)
	@"$${CARGO_TARGET_DIR:-target}/release/masthead-bench" logs $(BENCH_LOGS)
	@"$${CARGO_TARGET_DIR:-target}/release/masthead-bench" collect $(BENCH_COLLECT)
	@"$${CARGO_TARGET_DIR:-target}/release/masthead-bench" demo $(BENCH_DEMO)

conformance: ## run upstream's cases: make conformance CONFORMANCE=DIR (*.test or prebuilt-promql.json for PromQL, check.py for LogQL)
	@scripts/need cargo cc
	@test -d "$(CONFORMANCE)" || { echo 'no folder CONFORMANCE="$(CONFORMANCE)"; name one that holds *.test files, or check.py and corpus.json' >&2; exit 2; }
	@if [ -f "$(CONFORMANCE)/check.py" ] && [ -f "$(CONFORMANCE)/corpus.json" ]; then \
	  scripts/need python3; \
	  $(step) "build masthead" cargo build --quiet --package masthead; \
	  $(step) "LogQL and Loki API conformance" scripts/conformance-logql "$(realpath $(CONFORMANCE))" --quiet; \
	else \
	  $(step) "PromQL conformance" env CONFORMANCE="$(realpath $(CONFORMANCE))" cargo test --quiet --package masthead-promql --test golden -- --nocapture; \
	fi

# First what is quick; the build comes last because the binary of the tests below embeds it.
test-web:
	@$(step) "web: install packages" scripts/quietly npm --prefix web ci --no-audit --no-fund
	@$(step) "web: types and lint" scripts/quietly npm --prefix web run check
	@$(step) "web: unit tests" scripts/quietly npm --prefix web test
	@$(step) "web: build" scripts/quietly npm --prefix web run build

fmt: ## format the sources
	@scripts/need cargo rustfmt
	@$(step) "format" cargo fmt --all

fmt-check:
	@$(step) "format check" cargo fmt --all --check

clippy:
	@$(step) "clippy, warnings are errors" cargo clippy --quiet --workspace --all-targets -- -D warnings

tidy:
	@$(step) "tidy: rules of the repository" cargo xtask tidy
