# Two commands do everything: `make demo` and `make test`. Both set up .venv by themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench lock clean

demo: $(VENV)/.installed
	$(BIN)/voicebot demo

test: $(VENV)/.installed-dev lint
	$(BIN)/pytest --durations=15

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.wire --json
	$(BIN)/python -m benchmarks.latency --turns 40 --levels 1,10 --json

lock: $(VENV)/.installed-dev
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra gpu --extra console --universal --no-header --no-annotate \
		--no-emit-index-url --upgrade --quiet --output-file requirements.lock

clean:
	rm -rf $(VENV) demo-calls var

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name one with make PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml requirements.lock
	$(BIN)/pip install --quiet --constraint requirements.lock --editable .
	touch $@

# torch is left out of the lock: its build (CPU or CUDA) is the machine's choice, its version is pinned in pyproject.toml.
$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml requirements.lock
	$(BIN)/pip install --quiet --constraint requirements.lock --editable '.[dev,training,console]'
	touch $@ $(VENV)/.installed
