# One command a task; `make` alone lists them.

BIN := .venv/bin
READY := .venv/ready
BENCHMARKS ?= $(filter-out __init__,$(basename $(notdir $(wildcard benchmarks/*.py))))
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help setup quickstart ui test lint types format docs benchmarks lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## make the virtual environment .venv from requirements.lock

quickstart: $(READY) ## tune a real model: Airflow, Katib experiments, trials as local processes
	@$(BIN)/python -m quickstart

ui: $(READY) ## open Airflow's pages on what the quickstart ran, until Ctrl-C
	@$(BIN)/python -m quickstart ui

test: $(READY) ## run every test; ARGS="tests/store -k lease" for some of them
	@$(BIN)/python -m pytest $(ARGS)

lint: $(READY) ## check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

types: $(READY) ## check types only
	@$(BIN)/mypy

format: $(READY) ## put the code into its form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(READY) ## build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

benchmarks: $(READY) ## run the benchmarks; BENCHMARKS=collector for one of them
	@for name in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$name || exit; done

lock: ## resolve the dependencies anew; ARGS=--upgrade for newer versions
	@devtools/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
		--extra postgres --extra mysql --group dev --custom-compile-command 'make lock' \
		--output-file requirements.lock $(ARGS) pyproject.toml

clean: ## remove everything that is made here
	@rm -rf .venv .cache .coverage .import_linter_cache .mypy_cache .pytest_cache .ruff_cache \
		dist quickstart-home site

$(READY): requirements.lock pyproject.toml devtools/setup
	@devtools/setup
