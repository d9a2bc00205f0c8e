# Two commands do everything: `make demo` and `make test`. Each sets up what it needs in .venv, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
# the demo's own choice; both can be given on the command line: make demo CUE=my.mid TEMPLATE=brass-band/baroque
CUE ?= samples/hero_theme.mid
TEMPLATE ?= symphony/romantic-film
OUT ?= out/demo
PICTURE ?= out/picture
WORKERS ?= 2
# hostile files of `make fuzz`: how many mutated, how many times the tests' examples, seconds of guided search
FUZZ_FILES ?= 10000
FUZZ ?= 20
FUZZ_SECONDS ?= 120

.PHONY: demo picture test fuzz app bench lint types docs wheel clean
.DEFAULT_GOAL := demo

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

$(VENV)/.picture: $(VENV)/.run
	$(PIP) --editable ".[picture]"
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(PIP) --editable ".[dev]"
	@touch $@

demo: $(VENV)/.run  ## re-score a shipped cue: score, sound and report
	$(BIN)/rescore-music rescore $(CUE) --template $(TEMPLATE) --out $(OUT)

picture: $(VENV)/.picture  ## draw a film, re-score a cue to it, deliver it to stage and dub: streamers.mp4 is to be watched
	$(BIN)/python samples/make_clip.py $(PICTURE)
	$(BIN)/rescore-music rescore samples/chase.mid --template $(TEMPLATE) --cues $(PICTURE)/hits.csv --rate 24 --start 01:00:00:00 --out $(PICTURE)/rescored
	$(BIN)/rescore-music stage $(PICTURE)/rescored --cues $(PICTURE)/hits.csv --rate 24 --start 01:00:00:00 --video $(PICTURE)/clip.mp4 --out $(PICTURE)/stage

test: $(VENV)/.dev  ## every test
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile

lint: $(VENV)/.dev  ## style, layers, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

fuzz: $(VENV)/.dev  ## hostile files: mutated ones, FUZZ times the tests' examples, and atheris where it is installed
	$(BIN)/python benchmarks/fuzz.py --count $(FUZZ_FILES) --workers $(WORKERS)
	RESCORE_FUZZ=$(FUZZ) $(BIN)/python -m pytest tests/io/test_hostile.py --timeout 0
	$(BIN)/python benchmarks/fuzz_coverage.py --seconds $(FUZZ_SECONDS)

app: $(VENV)/.run  ## the page
	$(BIN)/rescore-music app

bench: $(VENV)/.dev  ## the tables of the README's performance section, and what reading and writing cost
	$(BIN)/python benchmarks/bench_line.py
	$(BIN)/python benchmarks/bench_midi.py
	$(BIN)/python benchmarks/bench_musicxml.py

docs: $(VENV)/.dev  ## the generated pages of docs/
	$(BIN)/python docs/make_schema.py
	$(BIN)/python docs/make_tables.py
	$(BIN)/python docs/make_formats.py

wheel: $(VENV)/.dev  ## build the wheel into dist/
	rm -rf dist
	$(BIN)/python -m pip --disable-pip-version-check wheel --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) dist out
