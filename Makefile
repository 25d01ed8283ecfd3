# The only way anything is started here. Needs Python 3.11 or newer with venv, and make; all else it gets by itself.

PYTHON ?= python3
CONFIG ?= config/demo
JOBS ?= 2
ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq
NPM := $(BIN)/python hatch_build.py
UV := .parts/lock/bin/uv
UV_VERSION := 0.13.9
COMPILE := $(UV) pip compile -q --no-config --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links $(ARGS)

WEB_SOURCES := $(shell find web -name node_modules -prune -o -type f -print)
ifeq ($(wildcard router/static/*),)
WEB_GONE := always
endif

.DEFAULT_GOAL := help
.PHONY: help run demo test test-fast check bench bench-routing bench-voice verify lock states pbx campaign fuzz-voice parts setup clean always
.DELETE_ON_ERROR:

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 14
	@echo 'Variables: KCC_PORT (8014), KCC_DATA, CONFIG ($(CONFIG)), ARGS (passed on), JOBS (tests at a time).'

run: setup ## start the server with the demo centre on http://localhost:8014 (data in data/demo)
	KCC_PORT="$${KCC_PORT:-8014}" KCC_DATA="$${KCC_DATA:-data/demo}" $(BIN)/kcc-router serve --config $(CONFIG) $(ARGS)

demo: setup ## watch a busy morning: the server with citizens and agents that play themselves (data in data/demo-morning)
	KCC_PORT="$${KCC_PORT:-8014}" KCC_DATA="$${KCC_DATA:-data/demo-morning}" $(BIN)/kcc-router demo --config $(CONFIG) $(ARGS)

test: setup parts .venv/.tests ## every test, with a real Asterisk, IMAP server and browser where they can be had
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(ARGS)

test-fast: .venv/.tests ## the tests that need no service and no browser
	$(BIN)/python -m pytest -n $(JOBS) -m "not browser and not asterisk and not imap and not slow" $(ARGS)

check: .venv/.tests web/node_modules/.package-lock.json ## style, types, demo configuration, architecture, locks: all that needs no running
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NPM) run check
	$(BIN)/kcc-router check --config $(CONFIG)
	$(BIN)/python -m pytest -q tests/architecture

bench: .venv/.tests ## measure, side by side, printed as ratios
	@if [ -e benchmarks/__main__.py ]; then $(BIN)/python -m benchmarks $(ARGS); else echo 'There are no benchmarks yet.'; fi

bench-routing: .venv/.tests ## measure routing: policies on the reference workload, other workloads, cost of matching (ARGS=--quick)
	@$(BIN)/python -m benchmarks routing $(ARGS)

bench-voice: parts .venv/.tests ## measure voice beside app_queue on one real Asterisk: who rings first, what is lost (ARGS=--quick)
	@$(BIN)/python -m benchmarks voice $(ARGS)

verify: .venv/.runtime ## check the books: the invariants over the journal in KCC_DATA (data/demo)
	KCC_DATA="$${KCC_DATA:-data/demo}" $(BIN)/kcc-router verify --config $(CONFIG) $(ARGS)

states: .venv/.runtime ## draw docs/states.md from the transition tables again
	$(BIN)/python -m router.engine.diagrams > docs/states.md

pbx: parts .venv/.tests ## a real Asterisk joined to the demo, for a softphone or SIPp; prints how to start the server with it
	$(BIN)/python -m tests.parts.pbx $(ARGS)

campaign: .venv/.tests ## the engine at length: 100,000 random command sequences, 5,000 simulated days
	KCC_SEQUENCES=100000 KCC_DAYS=5000 $(BIN)/python -m pytest -n $(JOBS) --timeout 3000 tests/properties tests/simulation

fuzz-voice: .venv/.tests ## AGI and AMI at length: 2,000,000 strings sent, ten minutes of bytes received (ARGS=--seed 2)
	$(BIN)/python -m tests.properties.voice_inputs $(ARGS)

parts: ## get the real parts that tests drive, into .parts/ or, as root, with apt-get
	@$(PYTHON) -m tests.parts install

lock: $(UV) ## compile the hashed requirements from pyproject.toml again (ARGS=--upgrade for newer versions)
	$(COMPILE) pyproject.toml --group test -o requirements-test.txt
	$(COMPILE) pyproject.toml -c requirements-test.txt -o requirements.txt
	$(COMPILE) --group build -c requirements-test.txt -o requirements-build.txt
	$(COMPILE) --group node -o requirements-node.txt

setup: .venv/.runtime .venv/.web ## the virtual environment and the built pages, without starting anything

clean: ## remove all that was built or installed here; data/ and .parts/ stay
	rm -rf .venv web/node_modules router/static dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './.parts/*' -prune -exec rm -rf {} +

# -- stamps: each is touched when what it stands for is done ------------------------------------------------

.venv/.runtime: requirements.txt requirements-build.txt requirements-node.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or newer is needed: make PYTHON=…'; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv || { echo 'On Debian: apt-get install python3-venv'; exit 1; }
	@echo 'installing what the server needs …'
	@$(PIP) install --require-hashes -r requirements.txt -r requirements-build.txt
	@$(NPM) --found || $(PIP) install --require-hashes -r requirements-node.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.tests: requirements-test.txt .venv/.runtime
	@echo 'installing what the tests need …'
	@$(PIP) install --require-hashes -r requirements-test.txt
	@touch $@

web/node_modules/.package-lock.json: web/package.json web/package-lock.json | .venv/.runtime
	$(NPM) ci --no-audit --no-fund --ignore-scripts
	@touch $@

.venv/.web: $(WEB_SOURCES) web/node_modules/.package-lock.json $(WEB_GONE) | .venv/.runtime
	$(NPM) run build
	@touch $@

$(UV): Makefile
	$(PYTHON) -m venv --clear .parts/lock
	.parts/lock/bin/python -m pip --disable-pip-version-check -q install uv==$(UV_VERSION)
	@touch $@
