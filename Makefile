# Each target does its own set-up in a virtual environment: Python 3.10 or newer, make and a network are enough.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: help setup demo preprocess train model generate test test-slow lint typecheck bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## Make the virtual environment and install rnnlm in it, with the tools of its developers

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "rnnlm needs Python 3.10 or newer.")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: setup ## Run the whole pipeline on the sample corpus: text, dataset, training, samples, perplexity
	rm -rf data/demo runs/demo
	$(BIN)/rnnlm preprocess --out data/demo
	$(BIN)/rnnlm train --config configs/sample-word.yaml --data data/demo --out runs/demo
	$(BIN)/rnnlm evaluate --model runs/demo
	$(BIN)/rnnlm generate --model runs/demo --seed-text "I think" --temperature 0.7 --seed 1

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

test: export OPENBLAS_NUM_THREADS = 1
test: setup ## Run the tests and report the coverage
	$(BIN)/python -m pytest --numprocesses auto --cov --cov-report term --cov-fail-under 90

test-slow: export OPENBLAS_NUM_THREADS = 1
test-slow: setup ## Run the tests that take minutes: many kills, many damaged files, much hostile text
	$(BIN)/python -m pytest --numprocesses auto -m slow

lint: setup ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: setup ## Check the types
	$(BIN)/mypy

bench: setup ## Measure the speed of training steps of the tutorial's network
	$(BIN)/rnnlm benchmark --config configs/tutorial.yaml --set model.vocabulary_size=8000

clean: ## Remove the virtual environment and everything generated, but not data/ and runs/
	rm -rf $(VENV) build *.egg-info .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
