# Two commands do all the set-up: `make chat` and `make test`. Everything lives in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
SMOL := $(BIN)/python -c 'from tests.test_real_weights import smol; print(smol())'
# how long train-test is: steps of each training, and lessons that are asked at the end
SFT ?= 70
GRPO ?= 20
LESSONS ?= 40

.DEFAULT_GOAL := help
.PHONY: help chat test weights fuzz lint bench eval crash soak train train-test docs look clean

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

chat: $(VENV)/.installed ## install and open the chat (the first time builds llama.cpp: some minutes)
	@$(BIN)/persona chat

test: $(VENV)/.installed-dev ## install and run every test
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

weights: $(VENV)/.installed-dev ## thirty turns with a real model of 135 million weights, in process and served, and 150 more of the tiny one: minutes
	$(BIN)/python -m pytest -m weights --timeout 7200 tests/test_real_weights.py tests/test_whole_loop.py

fuzz: $(VENV)/.installed-dev ## give every reader of files and of a model's words 10,000 inputs that nobody would write
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest --numprocesses auto --timeout 7200 tests/test_readers.py tests/test_parsing.py tests/test_hostile_exports.py

lint: $(VENV)/.installed-dev ## ruff, mypy, the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.shape

bench: $(VENV)/.installed-dev ## run the benchmarks and print their tables
	$(BIN)/python -m benchmarks

eval: $(VENV)/.installed-dev ## ask all of every tiny set: of the built-in model, a tiny Qwen2.5-VL and a server that answers by rule: minutes
	$(BIN)/python -m benchmarks sets

crash: $(VENV)/.installed-dev ## kill the program a thousand times and look whether anything was lost
	$(BIN)/python -m tests.crash.living 1000

soak: $(VENV)/.installed-dev ## talk for 10,000 turns in one process and draw time, memory, handles and disk: half an hour
	$(BIN)/python -m benchmarks.soak 10000 soak.png

train: $(VENV)/.installed-dev ## train the reader and the judge anew from the examples in models/: an hour and a half
	$(BIN)/python -m models.reading.corpus
	$(BIN)/python -m models.answers.lives
	$(BIN)/python -m models.reading.train
	$(BIN)/python -m models.reading.whose
	$(BIN)/python -m models.keeping.train
	$(BIN)/python -m models.stances.train
	$(BIN)/python -m models.answers.train
	$(BIN)/python -m models.changes.measure
	$(BIN)/python -m models.answers.fit
	$(BIN)/python -m models.answers.requests
	$(BIN)/python -m models.answers.intent

train-test: $(VENV)/.installed-dev ## fine-tune a model of 135 million weights on made-up people, then by reward, and measure it: two hours (SFT=2 GRPO=1 LESSONS=4: minutes)
	mkdir -p build/train
	$(BIN)/persona synth build/train/data --people 16 --turns 80 --context 1600 --seed 1
	$(BIN)/persona synth build/train/held --people 1 --turns 80 --context 1600 --seed 77
	$(BIN)/persona train sft build/train/data/sft.jsonl --base "$$($(SMOL))" --recipe small-sft --steps $(SFT) --to build/train/sft
	$(BIN)/persona train grpo build/train/data/rl.jsonl --base "$$($(SMOL))" --recipe small-grpo --from build/train/sft --steps $(GRPO) --to build/train/grpo
	$(BIN)/persona model export build/train/grpo --name trained
	$(BIN)/python -m benchmarks lessons build/train/held/sft.jsonl trained --limit $(LESSONS)

look: $(VENV)/.installed-dev ## photograph the page, chat and profile of a made-up life (apt-get install chromium tmux)
	$(BIN)/python -m tests.look build/look

docs: $(VENV)/.installed-dev ## write docs/commands.md anew from --help
	$(BIN)/python -m tests.commands > docs/commands.md

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "persona needs Python 3.11 to 3.13; choose one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade "pip>=25.1"

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --constraint constraints.txt --editable '.[serve,pictures]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --constraint constraints.txt --editable '.[serve,pictures,train]' --group dev
	@touch $@ $(VENV)/.installed
