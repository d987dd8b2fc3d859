# make demo | test | test-train | test-all | bench | bitstream: each sets up what it needs first.
PYTHON ?= python3
BOARD ?= ulx3s-25f
BIN := .venv/bin
READY := .venv/ready

.PHONY: demo test test-train test-all bench bitstream lint lock tools clean

demo: $(READY)
	$(BIN)/lutra report --output report

test: $(READY) lint
	$(BIN)/python -m pytest -n 2 -m "not slow" -q

# Training and its tests. PyTorch's version is pinned; which build of it (CPU, CUDA) is the system's choice.
test-train: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pytest -n 2 -m "not slow" -q tests/train

test-all: $(READY) lint
	$(BIN)/python -m pytest -n 2 -q

bench: $(READY)
	$(BIN)/lutra bench

bitstream: $(READY)
	$(BIN)/lutra bitstream --board $(BOARD)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/mypy

# One environment for everything; made anew whenever the lock changes.
$(READY): requirements.lock pyproject.toml | tools
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

tools:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Lutra needs Python 3.11 or newer: run 'apt-get install python3' or set PYTHON=..."; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "Lutra needs Python's venv module: run 'apt-get install python3-venv'"; exit 2; }
	@command -v g++ >/dev/null || { \
	  echo "Lutra needs a C++ compiler for the simulation: run 'apt-get install g++'"; exit 2; }

# Pins with hashes and without addresses, for every Python from 3.11 on.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra test \
	  --no-header --no-annotate pyproject.toml -o requirements.lock

clean:
	rm -rf .venv report build dist
