# The commands of this project. `make setup` needs python3 and nothing else; the others call it.
#   PYTHON=/path/to/python3.11   another interpreter than the python3 of the path
#   ARGS='-k hold'               more arguments for `make test`

.DEFAULT_GOAL := help
.PHONY: help setup servers demo test unit lint cases bench bench-notice notice-pictures lock schema clean

BIN := .venv/bin
export PYTHON

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 16

setup:  ## .venv/ with everything in it
	@scripts/setup.sh

servers: setup
	@scripts/setup.sh servers

demo: setup  ## real messages through the gateway, and what became of them
	@$(BIN)/practicum-gateway demo

test: setup servers  ## all tests, with coverage
	@$(BIN)/python -m pytest --cov --cov-report=term $(ARGS)

unit: setup  ## the unit tests alone
	@$(BIN)/python -m pytest tests/unit -q $(ARGS)

lint: setup  ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

cases: setup  ## the policy's own cases
	@$(BIN)/practicum-gateway policy test

bench: setup  ## every benchmark that writes no page, each with its baseline in the same run
	@set -e; for bench in bench/[a-z]*.py; do case $$bench in bench/notice_p*) continue; esac; echo "== $$bench"; $(BIN)/python "$$bench"; done

bench-notice: setup  ## docs/notice-peers.md: the notice by other tools and by ours (needs the shared data)
	@$(BIN)/python bench/notice_peers.py

notice-pictures: setup  ## docs/pictures/: delivered messages as mail programs show them (needs Chromium)
	@$(BIN)/python bench/notice_pictures.py

schema: setup  ## docs/schema/gateway.schema.json and the table of docs/configuration.md
	@$(BIN)/python -m gateway.service.schema docs

lock: setup  ## requirements.lock anew from pyproject.toml (needs uv on the path)
	@uv pip compile pyproject.toml --extra dev --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--python-version 3.11 --universal -o requirements.lock

clean:  ## take away what was made
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage demo-run
