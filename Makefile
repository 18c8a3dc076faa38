# Everything that is done to callcenter by hand or by CI. Paths are relative, so that a clone may stand anywhere.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

PYTHON_CANDIDATES := python3.13 python3.12 python3.11 python3 python3.14 python
PYTHON_FITS := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
BIN := .venv/bin
# The same engine twice: the shell has no windows of its own, and opens a page in a fifth of the processor's time.
SHELL_BROWSER := chromium-headless-shell
BROWSERS := chromium chromium-browser google-chrome-stable google-chrome
CI_PACKAGES := $(SHELL_BROWSER) fonts-inter
STAMP := .venv/.made-for

# Scripts of a virtual environment name the folder they were made in: a clone that was moved or copied makes its own.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(shell pwd -P))
$(STAMP): moved
endif

# A machine may forbid Python to keep what it has compiled: every start, and every worker of the tests, then does so anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup ci-setup softphone demo demo-reset check test soak bench bench-large bench-pages docs words pictures format mutants lock audit-deps clean moved
moved:

help: ## List what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## Make the virtual environment with the locked dependencies
	@:

$(STAMP): requirements.lock pyproject.toml
	@if $(BIN)/python -c '$(PYTHON_FITS)' 2>/dev/null && grep -qF "$$(pwd -P)/.venv/" $(BIN)/pip; then exit 0; fi; \
	for python in $(if $(PYTHON),"$(PYTHON)",$(PYTHON_CANDIDATES)); do \
	    if "$$python" -c '$(PYTHON_FITS)' 2>/dev/null; then \
	        echo "setup: virtual environment .venv ($$("$$python" --version))"; \
	        exec "$$python" -m venv --clear .venv; \
	    fi; \
	done; \
	echo "setup: no Python 3.11 or newer with the venv module was found." >&2; \
	echo "       Install one (Debian: apt install python3 python3-venv)," >&2; \
	echo "       or name the one to use: make setup PYTHON=/path/to/python3" >&2; \
	exit 1
	@echo "setup: locked dependencies, about $$(grep -c '^[A-Za-z0-9]' requirements.lock) packages"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@echo "setup: callcenter itself"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@pwd -P > $(STAMP)
	@echo "setup: done"

ci-setup: setup ## Install what the browser tests need: Debian's headless Chromium and letters to show pages in
	@if command -v $(SHELL_BROWSER) >/dev/null; then echo "ci-setup: $$(command -v $(SHELL_BROWSER)) is there"; exit 0; fi; \
	other=""; for name in $(BROWSERS); do other="$${other:-$$(command -v "$$name" || true)}"; done; \
	refused() { \
	    if [ -n "$$other" ]; then echo "ci-setup: $$other is there, the tests take it: $(SHELL_BROWSER) would be faster ($$1)"; exit 0; fi; \
	    echo "ci-setup: no Chromium: $$1" >&2; exit 1; \
	}; \
	command -v apt-get >/dev/null || refused "no apt-get to install it: install Chromium or Chrome by this system's means"; \
	if [ "$$(id -u)" = 0 ]; then as_root=""; \
	elif sudo -n true 2>/dev/null; then as_root="sudo -n"; \
	else refused "installing it needs root. Run: sudo apt-get install $(CI_PACKAGES)"; fi; \
	echo "ci-setup: installing $(CI_PACKAGES)"; \
	log="$$(mktemp)"; trap 'rm -f "$$log"' EXIT; \
	apt="$$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q"; \
	if $$apt update >"$$log" 2>&1 </dev/null && $$apt install -y --no-install-recommends $(CI_PACKAGES) >>"$$log" 2>&1 </dev/null; then \
	    echo "ci-setup: done"; \
	else \
	    tail -n 20 "$$log" >&2; \
	    refused "apt-get could not install $(CI_PACKAGES); mend what it says above and run make ci-setup again"; \
	fi

softphone: ## Fetch the carrier's own file for operators' browsers, as it is locked (needs npm; the demo does not need it)
	@if ! command -v npm >/dev/null; then echo "softphone: no npm: install Node.js (Debian: apt install npm)" >&2; exit 1; fi
	@cd browser && npm ci --ignore-scripts --no-audit --no-fund

demo: $(STAMP) ## Run server, database and emulated carrier with demo data; Ctrl-C ends all of it
	@exec $(BIN)/callcenter demo

demo-reset: $(STAMP) ## Forget the demo's data
	@exec $(BIN)/callcenter demo --reset

check: $(STAMP) ## Lint, formatting, types, walls between rooms, proof of the flows
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy callcenter
	$(BIN)/lint-imports
	$(BIN)/callcenter flows check

test: $(STAMP) ## Run the whole suite
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

soak: $(STAMP) ## Storm the queue with twenty seeds, misbehave in every way at every question (a quarter of an hour)
	CALLCENTER_SOAK=20 $(BIN)/python -m pytest --numprocesses 2 tests/integration/routing/test_storm.py \
	    tests/integration/routing/test_machine.py tests/bench/test_large.py tests/bench/test_ledger_bench.py \
	    tests/acceptance/test_p7_every_call_ends.py

bench: $(STAMP) ## Measure the verified call, routing, and the ledger, beside their floors
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.ledger

bench-large: $(STAMP) ## Measure 1 practice beside 1,000, and how fast they come in (about ten minutes)
	$(BIN)/python -m tests.bench.large

bench-pages: $(STAMP) ## Measure how soon the console's pages can be used, by Chromium's own clock
	$(BIN)/python -m pytest --quiet --capture=no tests/browser/speed.py

docs: $(STAMP) ## Make the documents that come from the program anew (their tests fail when stale)
	CALLCENTER_DOCS=write $(BIN)/python -m pytest --quiet tests/documents

words: $(STAMP) ## Enter what the pages newly say in the catalogues of other languages; then translate what is empty
	CALLCENTER_DOCS=write $(BIN)/python -m pytest --quiet tests/unit/console/test_words.py

pictures: $(STAMP) ## Take the documents' pictures of pages anew; look at them before you commit
	$(BIN)/python -m pytest --quiet tests/browser/pictures.py

format: $(STAMP) ## Put imports and code in the project's form
	$(BIN)/ruff check --select I --fix --quiet
	$(BIN)/ruff format

# Their own environments: mutmut, pip-tools and pip-audit are needed here alone, and must not change what is locked.
mutants: $(STAMP) ## Change the analyser one place at a time, and see that tests fail (a quarter of an hour)
	@$(BIN)/python -m venv --clear .venv/mutants
	@.venv/mutants/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@.venv/mutants/bin/python -m pip install --quiet --disable-pip-version-check mutmut==3.8.1
	rm -rf mutants
	.venv/mutants/bin/mutmut run --max-children 2
	.venv/mutants/bin/mutmut results

lock: $(STAMP) ## Make requirements.lock anew from pyproject.toml
	@$(BIN)/python -m venv --clear .venv/lock
	@.venv/lock/bin/python -m pip install --quiet --disable-pip-version-check pip-tools
	@CUSTOM_COMPILE_COMMAND="make lock" .venv/lock/bin/pip-compile --quiet --extra demo --extra dev --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-emit-options --strip-extras --no-header \
	    --output-file requirements.lock pyproject.toml
	@if grep -nE '(https?|file)://|--(extra-)?index-url|--find-links' requirements.lock; \
	    then echo "lock: requirements.lock names an address" >&2; exit 1; fi

audit-deps: $(STAMP) ## Look the locked packages up among known vulnerabilities
	@$(BIN)/python -m venv --clear .venv/audit
	@.venv/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	.venv/audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.lock

clean: ## Remove what setup, tests and checks made; data in var/ stays
	rm -rf .venv browser/node_modules build dist mutants *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
