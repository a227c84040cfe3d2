# Two commands are all a newcomer needs: `make run` and `make test`. The rest is for those who change things.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
NAME ?=

.PHONY: run setup test lint format bench study screenshots shipped readme chromium clean

run: $(VENV)/.app
	$(BIN)/python -m prunekit app --port $(PORT)

setup: $(VENV)/.app $(VENV)/.tests

test: setup chromium
	$(BIN)/python -m pytest

lint: $(VENV)/.tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(VENV)/.tests
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Speed, at most 25 minutes; one row alone: make bench NAME=cut_counts_138m_ms
bench: setup chromium
	$(BIN)/python -m tests.benchmarks $(NAME)

# Accuracy over seeds, resumable: make study NAME=lenet-half
study: setup
	$(BIN)/python -m tests.studies $(NAME)

# Every page, light, dark and narrow, into build/screenshots; the README's pictures are taken from there.
screenshots: setup chromium
	$(BIN)/python -m tests.browser.screenshots

# The answers and descriptions that the first pages show without an engine.
shipped: setup
	$(BIN)/python -m prunekit.experiments.shipping

# The README's tables, from the saved results of bench and study.
readme: setup
	$(BIN)/python -m tests.readme
	$(BIN)/python -m tests.studies.report

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "prunekit needs Python 3.11 or newer; name one with: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $@

$(VENV)/.tests: tests/requirements.txt $(VENV)/.app
	$(BIN)/python -m pip install --quiet -r tests/requirements.txt
	@touch $@

# The browser tests drive Debian's chromium; where it cannot be installed they are skipped and say so.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
	  if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	  else echo "No chromium here: the browser tests will be skipped."; fi; } || \
	  echo "chromium could not be installed: the browser tests will be skipped."

clean:
	rm -rf $(VENV) build .pytest_cache .ruff_cache
