# Few verbs. Everything runs in .venv, made from the hashes in requirements/; nothing is installed elsewhere by make itself.

PYTHON ?= python3
ARGS ?=
PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo test check bench faults lock clean python demo-environment dev-environment

help:
	@echo "make demo    the whole system on this machine, with a small site to crawl; state in ./assent-data"
	@echo "make test    every test; what this machine lacks is skipped with its reason"
	@echo "make check   lint, format, types, import rules, event schemas, deployment, lawful yield"
	@echo "make bench   side-by-side measurements"
	@echo "make faults  the seven services over a broker under load, killed, paused and cut off, and a checker that shares no code with them"
	@echo "make lock    pin requirements/*.in again (ARGS=--upgrade for newer versions)"
	@echo "make clean   remove .venv, .cache and what tools left behind; ./assent-data stays"
	@echo
	@echo "ARGS=...                                 is handed on, as in: make test ARGS='-k geofence'"
	@echo "PYTHON=python3.12                        the Python that .venv is made of (3.11 or newer)"
	@echo "ASSENT_REQUIRE=kafka,browser,promtool    a missing one fails the tests instead of skipping them"

demo: demo-environment
	@.venv/bin/assent demo $(ARGS)

test: dev-environment
	@echo "Programs from outside:"
	@$(PY) -m tools.prepare_tests
	@$(PY) -m pytest $(ARGS)

check: dev-environment
	@$(PY) -m tools.prepare_tests promtool
	@$(PY) -m tools.check $(ARGS)

bench: dev-environment
	@$(PY) -m bench $(ARGS)

faults: dev-environment
	@$(PY) -m tools.prepare_tests kafka
	@$(PY) -m faults $(ARGS)

lock: python
	@"$(PYTHON)" tools/environment.py lock
	@$(PY) -m tools.lock $(ARGS)

clean:
	@rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

demo-environment: python
	@"$(PYTHON)" tools/environment.py demo

dev-environment: python
	@"$(PYTHON)" tools/environment.py dev

python:
	@command -v "$(PYTHON)" >/dev/null || { echo "assent: $(PYTHON) is not on this machine; install Python 3.11 or newer, or say: make PYTHON=..." >&2; exit 1; }
