# The commands of this project. `make setup` needs python3 and nothing else; the others call it.
#   PYTHON=/path/to/python3.11   another interpreter than the python3 of the path
#   ARGS='-k hold'               more arguments for `make test`

.DEFAULT_GOAL := help
.PHONY: help setup servers demo test coverage unit lint cases torture-doors torture-crowd torture-store fuzz bench bench-detection bench-notice notice-pictures lock schema clean exports bench-doors

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

test: setup servers  ## all tests, a file at a time on each of two processes
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

coverage: setup servers  ## the same with line and branch coverage, which takes twice as long
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

torture-doors: setup servers  ## 20,000 messages while everything around the gateway fails (half an hour; PRACTICUM_TORTURE=n sends n)
	@PRACTICUM_TORTURE=$${PRACTICUM_TORTURE:-20000} $(BIN)/python -m pytest tests/integration/test_torture_doors.py -q -s $(ARGS)

torture-crowd: setup  ## 5,000 silent connections, then 200 clients that send 10 MB each, slowly
	@PRACTICUM_CROWD=$${PRACTICUM_CROWD:-5000} PRACTICUM_LARGE=$${PRACTICUM_LARGE:-200} $(BIN)/python -m pytest tests/integration/test_crowded_doors.py -q -s $(ARGS)

fuzz: setup  ## 100,000 random conversations with both doors (PRACTICUM_FUZZ=n plays n)
	@PRACTICUM_FUZZ=$${PRACTICUM_FUZZ:-100000} $(BIN)/python -m pytest tests/fuzz/test_door_conversations.py tests/fuzz/test_smuggling.py -q -s $(ARGS)

torture-store: setup servers  ## kill -9 of gateway, PostgreSQL and SeaweedFS at 200 random moments under 32 writers
	@PRACTICUM_KILLS=$${PRACTICUM_KILLS:-200} $(BIN)/python -m pytest -q -s --timeout 7200 -k 'random_moments or kill_9_of_gateways' \
		tests/integration/test_store_survives.py tests/integration/test_scaled_store.py

exports: setup servers  ## 500 messages in one client's file, handed over in every form (MESSAGES=5000 for more)
	@EXPORT_MESSAGES=$(or $(MESSAGES),500) EXPORT_TIMEOUT_S=7200 $(BIN)/python -m pytest tests/integration/test_exports.py -v $(ARGS)

bench: setup  ## every benchmark that writes no page, each with its baseline in the same run
	@set -e; for bench in bench/[a-z]*.py; do case $$bench in bench/doors*|bench/notice_p*|bench/detection_table*) continue; esac; echo "== $$bench"; $(BIN)/python "$$bench"; done

bench-notice: setup  ## docs/notice-peers.md: the notice by other tools and by ours (needs the shared data)
	@$(BIN)/python bench/notice_peers.py

bench-doors: setup  ## the doors beside Haraka, Postfix, pymilter, amavisd-new and MIMEDefang (ARGS=--quick, ARGS=--write)
	@scripts/setup.sh peers
	@$(BIN)/python bench/doors.py $(ARGS)

bench-detection: setup  ## docs/detection-figures.md: what is held, beside word lists and Presidio (needs the shared data)
	@$(BIN)/python bench/detection_table.py

notice-pictures: setup  ## docs/pictures/: delivered messages as mail programs show them (needs Chromium)
	@$(BIN)/python bench/notice_pictures.py

schema: setup  ## docs/schema/gateway.schema.json and the table of docs/configuration.md
	@$(BIN)/python -m gateway.service.schema docs

lock:  ## requirements.lock anew from pyproject.toml (needs uv on the path)
	@uv pip compile pyproject.toml --extra dev --generate-hashes --no-strip-extras --no-emit-index-url --no-header --no-annotate \
		--python-version 3.11 --universal -o requirements.lock

clean:  ## take away what was made
	@rm -rf .venv .servers .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage demo-run
