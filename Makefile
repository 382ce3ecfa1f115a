# make demo | make test | make lint   Everything is installed into .venv; nothing else is touched.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help demo test test-slow lint fix docs clean

help:
	@echo "make demo       install, copy a hundred sounds, index and search them"
	@echo "make test       install what the tests need and run them (a few minutes)"
	@echo "make test-slow  the tests that take longer"
	@echo "make lint       ruff check, ruff format --check, mypy --strict"
	@echo "make fix        let ruff mend what it can"
	@echo "make docs       write docs/commands.md, docs/recipes.md and the recipes' schemas anew"

.venv/installed: pyproject.toml
	@echo "# installing oea into .venv (torch is large: a few minutes the first time)"
	$(PYTHON) -m venv .venv
	$(PIP) --editable .
	@touch $@

.venv/installed-%: pyproject.toml | .venv/installed
	@echo "# installing what $* needs"
	$(PIP) --editable '.[$*]'
	@touch $@

demo: .venv/installed
	oea demo demo/sounds
	oea embed demo/sounds/clips.jsonl | oea index -o demo/sounds.oea
	oea search "a dog barking" -i demo/sounds.oea -k 5 -f table
	oea search "a dog barking" --not "a rooster" -i demo/sounds.oea -k 5 -f table

# A process per core: threads within one would only wait for each other.
test: .venv/installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

test-slow: .venv/installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow -n auto --dist loadfile

lint: .venv/installed-lint .venv/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

fix: .venv/installed-lint
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: .venv/installed
	$(BIN)/python -m tests.docs.reference
	$(BIN)/python tests/recipe_schemas.py
	$(BIN)/python -m tests.docs.recipe_keys

clean:
	rm -rf demo .pytest_cache .mypy_cache .ruff_cache
