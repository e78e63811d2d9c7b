# `make demo` and `make test` do everything from a fresh clone; both create and reuse .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint format docket bench clean help

help:
	@echo "make demo   set up, then run S1_004 live and sign what it shows (in .demo/)"
	@echo "make test   set up, then run the whole test suite"
	@echo "make lint   ruff, mypy, the import contract, generated files, the contracts, what documents show of them"
	@echo "make bench  measure speed and memory beside references, into benchmarks/RESULTS.md"
	@echo "make format apply ruff's formatting"
	@echo "make docket make the reference docket in gates/ again (before 1.0 only)"

demo: .venv/demo.stamp
	@tools/system_packages.sh bwrap
	@$(BIN)/python tools/demo.py

test: .venv/dev.stamp
	@tools/system_packages.sh bwrap cargo ssh-keygen chromium
	@$(BIN)/python -m pytest -n 2 --dist worksteal

lint: .venv/dev.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --config pyproject.toml
	@$(BIN)/python tools/generate.py --check
	@$(BIN)/abverify lint
	@$(BIN)/abverify render --check

format: .venv/dev.stamp
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docket: .venv/demo.stamp
	@$(BIN)/python tools/make_docket.py

bench: .venv/dev.stamp
	@tools/system_packages.sh bwrap
	@$(BIN)/python benchmarks/run_all.py

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "abverify needs Python 3.11 or newer; try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .venv || { \
		echo "this Python has no venv module; on Debian: apt-get install python3-venv"; exit 1; }

.venv/demo.stamp: .venv/bin/python pyproject.toml
	@echo "installing abverify with the llama engine (it is compiled once, about six minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo]'
	@touch $@

.venv/dev.stamp: .venv/bin/python pyproject.toml
	@echo "installing abverify with its development tools (llama.cpp is compiled once, about six minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ .venv/demo.stamp

clean:
	rm -rf .venv .demo .demo-keys build dist
