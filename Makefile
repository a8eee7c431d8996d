# Every target does its own set-up. `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: help env demo test servers faults kills check format bench keys pictures constraints clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  \1\t/' | expand -t 16

env: $(INSTALLED) ## make .venv with every extra, and nothing else

$(INSTALLED): pyproject.toml constraints.txt
	@python=; for name in $${PYTHON:-} python3 python3.13 python3.12 python3.11; do \
	    if "$$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	    then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then \
	    echo 'crmmail needs Python 3.11 or newer, with venv: install it, or name one with make PYTHON=…' >&2; \
	    exit 1; fi; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then "$$python" -m venv --clear .venv; fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo,dev]'
	@touch $@

demo: env ## open the app on a sample mailbox, offline
	@$(BIN)/crmmail demo

test: env ## run every test, side by side; installs Dovecot where it may
	@bash .ci/dovecot gnome-keyring
	@bash .ci/oauth2
	@if PATH="$$PATH:/usr/sbin:/usr/local/sbin" command -v dovecot >/dev/null; \
	then export CRMMAIL_NEED_DOVECOT=1; fi; \
	if command -v gnome-keyring-daemon >/dev/null; then export CRMMAIL_NEED_KEYRING=1; fi; \
	if bash .ci/oauth2 --there; then export CRMMAIL_NEED_OAUTH2=1; fi; \
	$(BIN)/python -m pytest -n auto --dist loadgroup

servers: env ## play the same scenarios on five makes of IMAP server (docs/servers.md)
	@bash .ci/dovecot
	$(BIN)/python -m tools.servers

faults: env ## harm a server's answers at random places, 500 times: nothing may be lost
	@bash .ci/dovecot
	CRMMAIL_NEED_DOVECOT=1 CRMMAIL_FAULTS=$${CRMMAIL_FAULTS:-500} $(BIN)/python -m pytest -n auto tests/sync/test_faults.py

kills: env ## kill -9 at 200 random moments (KILLS=…, SEED=…): nothing may be lost; needs Dovecot
	@bash .ci/dovecot
	$(BIN)/python -m tests.kills --count $${KILLS:-200} --seed $${SEED:-1}

check: env ## format, lint, types, import floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: env ## put the code in shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: env ## measure imports beside mbsync, notmuch, vdirsyncer (docs/benchmarks.md)
	@bash .ci/dovecot isync notmuch vdirsyncer
	$(BIN)/python -m benchmarks

pictures: env ## draw the README's pictures from the demo
	$(BIN)/python tools/pictures.py docs/pictures

keys: env ## write the README's key table from the bindings
	$(BIN)/python -m tools.keys

constraints: env ## write the installed versions down
	@{ head -n 1 constraints.txt; \
	$(BIN)/python -m pip list --format=freeze --exclude-editable --exclude pip --exclude setuptools | sort -f; \
	} > constraints.new && mv constraints.new constraints.txt

clean: ## take away what the other targets made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
