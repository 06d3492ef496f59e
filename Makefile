# The commands of this repository. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

RAPPORT := .venv/bin/rapport
PYTEST := .venv/bin/pytest

.PHONY: help setup run test test-sqlite test-postgres lint check bench fmt docs clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/.synced ## build .venv from the lock file; .venv/bin/rapport is the command

.venv/.synced: uv.lock pyproject.toml scripts/setup.sh
	@scripts/setup.sh

run: setup ## everything on this machine, with an invented shop where the data folder is empty
	@scripts/run.sh

test: setup ## the whole suite, on SQLite and where possible on PostgreSQL
	@scripts/test.sh

test-sqlite: setup ## the suite on SQLite alone
	@$(PYTEST) -n auto

test-postgres: setup ## the suite on a scratch PostgreSQL alone
	@.venv/bin/python scripts/with_postgres.py -- $(PYTEST) -n auto

lint: setup ## every linter
	@scripts/lint.sh

check: lint test ## what CI runs

bench: setup ## figures as ratios to a named peer or limit
	@scripts/setup.sh --group bench
	@scripts/debian.sh goaccess || echo "The web-log figure will lack its peer."
	@$(RAPPORT) bench

fmt: setup ## put code in shape
	@.venv/bin/ruff check --fix --quiet . || true
	@.venv/bin/ruff format .

docs: setup ## write the generated pages of docs/reference
	@.venv/bin/python scripts/make_docs.py

clean: ## remove what can be made again; never the data folder
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
