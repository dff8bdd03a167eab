# Every target does its own set-up; the second call is quick. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Real peers that the tests talk to, as command:package. Without them, and without root, the tests that need them are skipped.
TEST_PEERS := \
    nginx:nginx-light curl:curl caddy:caddy openssl:openssl chromium:chromium \
    redis-server:redis-server redis-sentinel:redis-sentinel \
    rsyslogd:rsyslog promtool:prometheus systemd-analyze:systemd \
    dot:graphviz vim:vim-nox emacs:emacs-nox nvim:neovim batcat:bat node:nodejs npm:npm
BENCH_PEERS := nginx:nginx-light haproxy:haproxy wrk:wrk taskset:util-linux

# Install the Debian packages of those commands that are missing, where this runs as root; RUNLEVEL=1 keeps services from
# being started.
define debian
@missing=; \
for pair in $(1); do \
    PATH="$$PATH:/usr/sbin:/sbin" command -v "$${pair%%:*}" >/dev/null 2>&1 || missing="$$missing $${pair##*:}"; \
done; \
if [ -n "$$missing" ]; then \
    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
        echo "installing$$missing"; \
        export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1; \
        apt-get update -q >/dev/null && apt-get install -q -y --no-install-recommends $$missing >/dev/null; \
    else \
        echo "not installed:$$missing (what needs them is skipped)"; \
    fi; \
fi
endef

# What the tests of the VS Code extension need, where there is npm.
define extension
@cd vscode-extension && if command -v npm >/dev/null 2>&1 && \
    { ! [ -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; }; then \
    npm ci --loglevel=error --no-progress >/dev/null && touch node_modules/.package-lock.json; \
fi
endef

.PHONY: help run test check generate docs bench

help:
	@echo "make run       start the quickstart example"
	@echo "make test      run all tests (ARGS='-k name' for some)"
	@echo "make check     formatting, lint, types, layers, generated files"
	@echo "make generate  write the generated files"
	@echo "make docs      build the documentation site into build/site"
	@echo "make bench     measure beside real peers (ARGS='--quick --case hello' for one case)"

# Debian's python3 comes without ensurepip unless python3-venv is there.
$(READY): pyproject.toml
	@if ! $(PYTHON) -c 'import ensurepip' 2>/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    export DEBIAN_FRONTEND=noninteractive; \
	    apt-get update -q >/dev/null && apt-get install -q -y --no-install-recommends python3-venv >/dev/null; \
	fi
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

run: $(READY)
	@$(BIN)/python examples/quickstart/start.py

test: $(READY)
	$(call debian,$(TEST_PEERS))
	$(call extension)
	$(BIN)/python -m pytest -n 2 $(ARGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m edgescript.generate --check

generate: $(READY)
	$(BIN)/python -m edgescript.generate

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --clean

bench: $(READY)
	$(call debian,$(BENCH_PEERS))
	$(BIN)/python bench/run.py $(ARGS)
