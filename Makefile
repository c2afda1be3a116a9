# Each target does its own set-up in a virtual environment: Python 3.10 or newer, make and a network are enough.
# On Windows it takes bash too, as Git for Windows has it; test-extras, -lowest, -pythons and -anywhere are not for it.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ifeq ($(OS),Windows_NT)
  SHELL := bash
  BIN   := $(VENV)/Scripts
endif
PIP    := python -m pip install --quiet --disable-pip-version-check
FORECASTERS := ar narx tdnn rnn lstm
PYTEST := python -m pytest --numprocesses auto
COVERAGE := --cov --cov-report term --cov-fail-under 90
# What the compiled passes are built from; Cython makes _passes.c of it.
PASSES := setup.py $(filter-out %/_passes.c,$(wildcard $(addprefix rnnlm/nn/kernels/*.,pyx c h)))

.PHONY: help setup demo forecast preprocess train model generate test test-extras test-lowest test-pythons test-anywhere \
	test-slow lint typecheck bench wheel clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## Make the virtual environment and install rnnlm in it, with the tools of its developers

$(VENV)/.installed: pyproject.toml $(PASSES)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "rnnlm needs Python 3.10 or newer.")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/$(PIP) --editable '.[dev]'
	@touch $@

demo: setup ## Run the whole pipeline on the sample corpus: text, dataset, training, samples, perplexity
	rm -rf data/demo runs/demo
	$(BIN)/rnnlm preprocess --out data/demo
	$(BIN)/rnnlm train --config configs/sample-word.yaml --data data/demo --out runs/demo
	$(BIN)/rnnlm evaluate --model runs/demo
	$(BIN)/rnnlm generate --model runs/demo --seed-text "I think" --temperature 0.7 --seed 1

forecast: setup ## Forecast the airline passengers: five models fitted on 100 months, measured on 44, and a page of them
	rm -rf data/airline-passengers $(FORECASTERS:%=runs/airline-%)
	$(BIN)/rnnlm preprocess --format series --valid-rows 0 --test-rows 44 --quiet
	for model in $(FORECASTERS); do \
	  $(BIN)/rnnlm train --config configs/airline-$$model.yaml --quiet && echo $$model \
	    && $(BIN)/rnnlm evaluate --model runs/airline-$$model --quiet || exit; \
	done
	$(BIN)/rnnlm report $(FORECASTERS:%=runs/airline-%) --out runs/airline.html
	$(BIN)/rnnlm predict --model runs/airline-tdnn --steps 12

preprocess: setup ## Make a dataset of the sample corpus
	$(BIN)/rnnlm preprocess

train: setup ## Train on that dataset
	$(BIN)/rnnlm train --config configs/sample-word.yaml

model: setup ## Train the small model that is installed with the package
	rm -rf data/sample-comments runs/sample-model
	$(BIN)/rnnlm preprocess
	$(BIN)/rnnlm train --config configs/sample-model.yaml
	rm -rf rnnlm/resources/model
	cp -r runs/sample-model/checkpoints/$$(sed 's/.*"best": "\([^"]*\)".*/\1/' runs/sample-model/checkpoints/index.json) rnnlm/resources/model

generate: setup ## Write text with the model trained last
	$(BIN)/rnnlm generate --seed-text "I think"

test: setup ## Run the tests, in an order that changes, and report the coverage
	$(BIN)/$(PYTEST) $(COVERAGE)

test-extras: $(VENV)-extras/.installed ## Run the tests with every optional package; none may be skipped that need not be
	.ci/programs
	$(VENV)-extras/bin/$(PYTEST) -rs --may-skip "$$(.ci/programs --missing)"
	$(VENV)-extras/bin/python -m pytest -rs -m slow -k fuzzer

$(VENV)-extras/.installed: pyproject.toml $(PASSES)
	$(PYTHON) -m venv $(VENV)-extras
	$(VENV)-extras/bin/$(PIP) --editable '.[all,checks,dev]' torch==2.13.0
	@touch $@

# Old packages call what newer ones have deprecated.
test-lowest: $(VENV)-lowest/.installed ## Run the tests with the lowest versions of packages that pyproject.toml allows
	$(VENV)-lowest/bin/$(PYTEST) -rs -W ignore::DeprecationWarning

$(VENV)-lowest/.installed: pyproject.toml $(PASSES) $(VENV)/.installed
	$$($(PYTHON) scripts/pythons.py | head -n 1) -m venv $(VENV)-lowest
	$(BIN)/python scripts/lowest_versions.py >$(VENV)-lowest/constraints.txt
	$(VENV)-lowest/bin/$(PIP) --editable '.[all,checks,dev]' --constraint $(VENV)-lowest/constraints.txt
	@touch $@

test-pythons: ## Run the tests on every other Python from 3.10 on that is on PATH or in pyenv
	$(PYTHON) scripts/pythons.py --others | while read -r python; do \
	  $(MAKE) test COVERAGE= PYTHON="$$python" VENV="$(VENV)-$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" \
	    </dev/null || exit; \
	done

test-anywhere: setup ## Run the tests as on other machines: other settings, processors, a terminal or none
	trap '' HUP; env -i PATH="$$PATH" HOME=/nonexistent OPENBLAS_CORETYPE=Haswell OPENBLAS_L2_SIZE=512 \
	  $(BIN)/$(PYTEST) </dev/null
	LC_ALL=C TZ=Asia/Kathmandu PYTHONHASHSEED=1 COLUMNS=40 NO_COLOR=1 OPENBLAS_CORETYPE=Nehalem \
	  NPY_DISABLE_CPU_FEATURES="X86_V3 X86_V4 AVX512_ICL AVX512_SPR" $(BIN)/$(PYTEST)
	$(BIN)/python -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' \
	  $(BIN)/python -m pytest --capture no

test-slow: setup ## Run the tests that take minutes: many kills, many damaged files, much hostile text
	$(BIN)/$(PYTEST) -m slow

lint: setup ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: setup ## Check the types
	$(BIN)/mypy

bench: setup ## Measure the speed of training steps of the tutorial's network
	$(BIN)/rnnlm benchmark --config configs/tutorial.yaml --set model.vocabulary_size=8000

wheel: setup ## Build a wheel in dist/, with the compiled passes where there is a C compiler
	rm -rf build
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## Remove the virtual environments and everything generated, but not data/ and runs/
	rm -rf $(VENV) $(VENV)-* build dist *.egg-info rnnlm/nn/kernels/_passes.c rnnlm/nn/kernels/*.so .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
