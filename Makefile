# Two commands do everything: `make demo` and `make test`. Both set up .venv by themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The browser side: sources that its build is made from, and Node, which pip brings.
PAGES := voicebot/pages/index.html
CONSOLE := $(shell find console -name node_modules -prune -o -type f ! -name schema.d.ts -print) $(wildcard voicebot/api/shapes/*.py)
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix console --no-fund --no-audit --no-update-notifier

.PHONY: demo test lint console bench lock clean

demo: $(VENV)/.installed console
	$(BIN)/voicebot demo

test: $(VENV)/.installed-dev lint console
	$(NPM) test
	$(BIN)/pytest --numprocesses auto --dist loadfile --durations=10 tests/unit tests/fuzz tests/contract
	$(BIN)/pytest --durations=15 tests/integration tests/acceptance

lint: $(VENV)/.installed-dev console/src/api/schema.d.ts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(NPM) run lint

console: $(PAGES)

$(PAGES): $(CONSOLE) console/src/api/schema.d.ts
	$(NPM) run build

console/src/api/schema.d.ts: $(wildcard voicebot/api/shapes/*.py) console/tools/openapi.py console/node_modules/.installed
	mkdir -p build
	$(BIN)/python console/tools/openapi.py > build/openapi.json
	$(NPM) run types

console/node_modules/.installed: console/package.json console/package-lock.json $(VENV)/.installed
	$(NPM) ci
	touch $@

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.wire --json
	$(BIN)/python -m benchmarks.latency --turns 40 --levels 1,10 --json

lock: $(VENV)/.installed-dev
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra gpu --extra console --universal --no-header --no-annotate \
		--no-emit-index-url --upgrade --quiet --output-file requirements.lock

clean:
	rm -rf $(VENV) demo-calls var voicebot/pages console/node_modules

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name one with make PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml requirements.lock
	$(BIN)/pip install --quiet --constraint requirements.lock --editable '.[console]'
	touch $@

# torch is left out of the lock: its build (CPU or CUDA) is the machine's choice, its version is pinned in pyproject.toml.
$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml requirements.lock
	$(BIN)/pip install --quiet --constraint requirements.lock --editable '.[dev,training,console]'
	touch $@ $(VENV)/.installed
