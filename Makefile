# make install    a virtual environment with everything, at the versions of constraints.txt
# make check      what a change must pass, and .ci/run runs: ruff check, ruff format --check, mypy, pytest
# make format     format and sort imports
# make thorough   the sweeps over everything; writes tests/THOROUGH.md
# make mutants    small wrong changes, one at a time, and the tests that should notice; writes benchmarks/mutants/result.md
# make benchmarks measures against peers; writes benchmarks/results
# make helps      a mistake in each of 5,000 specs, and every help for it pasted; writes benchmarks/results/helps.md
# make sweeps     random specs and networks, mutated files, faults, in large numbers; writes benchmarks/results

PYTHON ?= python3
VENV ?= .venv
# the environment of `make install`, or the active one
BIN := $(if $(wildcard $(VENV)/bin/python),$(VENV)/bin/)

.PHONY: install check lint format typecheck test thorough mutants wheel benchmarks helps sweeps clean

# torch first and by itself, so that nothing else chooses its build
install:
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install -c constraints.txt torch
	$(VENV)/bin/python -m pip install -c constraints.txt -e '.[all,dev]'

check: lint typecheck test

lint:
	$(BIN)ruff check
	$(BIN)ruff format --check

format:
	$(BIN)ruff check --select I --fix
	$(BIN)ruff format

typecheck:
	$(BIN)mypy

test:
	$(BIN)python -m pytest

thorough:
	$(BIN)python -m pytest -m "slow or not slow" --summary tests/THOROUGH.md

mutants:
	$(BIN)python -m benchmarks.mutants --write benchmarks/mutants/result.md

wheel:
	$(BIN)python -m build

benchmarks:
	$(BIN)python -m benchmarks.check_speed --output benchmarks/results/check_speed.md
	$(BIN)python -m benchmarks.limits --output benchmarks/results/limits.md
	$(BIN)python -m benchmarks.long_chain --output benchmarks/results/long_chain.md
	$(BIN)python -m benchmarks.bombs --output benchmarks/results/bombs.md
	$(BIN)python -m benchmarks.lowering_speed --output benchmarks/results/lowering_speed.md
	$(BIN)python -m benchmarks.training_speed --output benchmarks/results/training_speed.md
	$(BIN)python -m benchmarks.threads --output benchmarks/results/threads.md
	$(BIN)python -m benchmarks.image_speed --output benchmarks/results/image_speed.md
	$(BIN)python -m benchmarks.degradation_probe --output benchmarks/results/degradation_probe.md
	$(BIN)python -m benchmarks.first_weights --output benchmarks/results/first_weights.md

helps:
	$(BIN)python -m benchmarks.helps --count 5000 --output benchmarks/results/helps.md

sweeps:
	$(BIN)python -m benchmarks.sweeps.specs --count 100000 --output benchmarks/results/sweep_specs.md
	$(BIN)python -m benchmarks.sweeps.networks --count 1000 --output benchmarks/results/sweep_networks.md
	$(BIN)python -m benchmarks.sweeps.files --count 2000 --output benchmarks/results/sweep_files.md
	$(BIN)python -m benchmarks.sweeps.faults --output benchmarks/results/faults.md

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
