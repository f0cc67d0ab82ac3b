# The project's own environment and its gates. Needs make and Python 3.11 or newer, nothing else.
#
# Three stamps, each built on the one before: the bare environment, the run packages, the
# development packages. A stamp is older than its lock only when there is something to install,
# so a second call starts at once, and `make -j` never installs two things at a time.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=

BIN        := $(VENV)/bin
VENV_STAMP := $(VENV)/venv.stamp
RUN_STAMP  := $(VENV)/run.stamp
DEV_STAMP  := $(VENV)/dev.stamp
RUN_LOCK   := configs/locks/run.txt
DEV_LOCK   := configs/locks/dev.txt
SPECS_LOCK := configs/locks/specs.txt

# Wheels only: building a package from source would fetch tools that no lock names.
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check
PIP_LOCKED  := $(PIP_INSTALL) --require-hashes --only-binary :all:
UV_COMPILE  := $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header
# Tests wait for a quarter of their time, for processes, deadlines and disks: three workers keep two cores at work.
# They are of very unequal length: a worker that has none left takes half of what another has.
PYTEST      := $(BIN)/python -m pytest -q -n 3 --dist worksteal -m "not storm and not drill"

.PHONY: help run test check lint types floors lock lock-check storm drill faults machine stress bench isolation clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: $(RUN_STAMP) ## preflight, then trade with the default policy (ARGS="--cycles 10")
	@$(BIN)/hydra qc && $(BIN)/hydra run $(ARGS)

test: $(DEV_STAMP) ## the tests (ARGS="-k halt")
	@$(PYTEST) $(ARGS)

check: lock-check lint floors ## the one gate: lock, lint, floors, types, tests
	@$(MAKE) --no-print-directory --jobs=2 types test

lint: $(DEV_STAMP) ## ruff: rules and formatting
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "lint: run '$(BIN)/ruff format' on the files above"; exit 1; }

types: $(DEV_STAMP) ## mypy, strict
	@$(BIN)/mypy

floors: $(DEV_STAMP) ## import-linter: no file imports from a floor above its own
	@$(BIN)/lint-imports --no-logo

lock: | $(BIN)/uv ## resolve again what pyproject.toml asks for (ARGS=--upgrade for newer versions)
	@echo "lock: resolving"
	@$(UV_COMPILE) $(ARGS) --group build pyproject.toml --output-file $(RUN_LOCK) >/dev/null
	@$(UV_COMPILE) $(ARGS) --group build --extra postgres --extra llm --extra scale --extra dev --constraint $(RUN_LOCK) pyproject.toml --output-file $(DEV_LOCK) >/dev/null
	@$(UV_COMPILE) $(ARGS) --group specs --no-deps --output-file $(SPECS_LOCK) >/dev/null
	@$(BIN)/python .ci/check_lock.py --stamp

lock-check: $(DEV_STAMP) ## do the locks answer pyproject.toml? (no network)
	@$(BIN)/python .ci/check_lock.py

storm: $(RUN_STAMP) ## rehearse, kill and cut the power for a million cycles, with a report; goes on where it was (ARGS="--seconds 600")
	@$(BIN)/python -m hydra.bootstrap.storm $(ARGS)

drill: $(DEV_STAMP) ## rehearse the documented failures one by one (ARGS=...)
	@$(BIN)/python -m tests.drill $(ARGS)

faults: $(DEV_STAMP) ## a fault at every route to the venue, and what becomes of it (ARGS="--cell 'shares/submit/*'")
	@$(BIN)/python -m tests.faults $(ARGS)

machine: $(DEV_STAMP) ## random worlds, cycle by cycle, and what must hold in each (ARGS="--cycles 100000 --seed 1")
	@$(BIN)/python -m tests.machine $(ARGS)

stress: $(RUN_STAMP) ## hostile bots beside a good one, and what came of it (ARGS="--cycles 1000")
	@$(BIN)/python -m hydra.bootstrap.stress $(ARGS)

bench: $(DEV_STAMP) ## measure the cycle (ARGS=...)
	@$(BIN)/python -m benchmarks.cycle $(ARGS)

isolation: $(DEV_STAMP) ## measure what bots in processes of their own cost (ARGS=--sizes=1000)
	@$(BIN)/python -m benchmarks.isolation $(ARGS)

# state/ and logs/ are not ours to delete: positions may be open.
clean: ## remove the environment and every cache; state/ and logs/ stay
	@if [ -f "$(VENV)/pyvenv.cfg" ]; then rm -rf "$(VENV)"; fi
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find hydra tests benchmarks .ci -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV_STAMP):
	@command -v "$(PYTHON)" >/dev/null || { echo "setup: $(PYTHON) not found; install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "setup: Python 3.11 or newer is needed, $(PYTHON) is $$("$(PYTHON)" -V 2>&1); name another: make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { echo "setup: $(PYTHON) has no venv or no ensurepip; install them (Debian, Ubuntu: the python3-venv package)"; exit 1; }
	@echo "setup: environment in $(VENV)"
	@"$(PYTHON)" -m venv --clear "$(VENV)"
	@touch $@

$(RUN_STAMP): $(RUN_LOCK) pyproject.toml | $(VENV_STAMP)
	@echo "setup: run packages from $(RUN_LOCK)"
	@$(PIP_LOCKED) -r $(RUN_LOCK)
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# The specs are files to read: what their package would need to run stays out.
$(DEV_STAMP): $(DEV_LOCK) $(SPECS_LOCK) $(RUN_STAMP)
	@echo "setup: development packages from $(DEV_LOCK)"
	@$(PIP_LOCKED) -r $(DEV_LOCK)
	@$(PIP_LOCKED) --no-deps -r $(SPECS_LOCK)
	@touch $@

# No prerequisites: a lock that cannot be installed must not stand in the way of a new lock.
$(BIN)/uv:
	@$(MAKE) --no-print-directory $(DEV_STAMP)
