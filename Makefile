# make find: set up on a fresh machine and run the first search. make test: all that CI asks for.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: find test lint format docs clean

find: $(READY)
	$(BIN)/depthsearch find --arch ffnet --act tanh

# One thread in each of the two processes: more of them wait for each other.
test: lint
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# docs/commands.md from the commands, and every transcript of README and manual from a run.
docs: $(READY)
	$(BIN)/python docs/commands.py
	$(BIN)/python docs/transcripts.py

# torch first and by its exact version: a range would let the installer choose a build of several gigabytes.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"depthsearch needs Python 3.11 or newer, but {sys.executable} is {sys.version.split()[0]}: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $(READY)

clean:
	rm -rf .venv
