# The developer commands; `make help` lists them. They need Python, make and git only.

PYTHON ?= python3
# Options for every call of pip, for example PIP_FLAGS=--no-cache-dir
PIP_FLAGS ?=
VENV ?= .venv

# The size of the quickstart: training instances, probability of asking the expert at a node, samples
# an instance, epochs, unseen instances for the evaluation, and their seeds.
N = 60
P = 0.2
SAMPLES = 10
EPOCHS = 60
TEST = 12
SEEDS = 2
TIME_LIMIT = 120
QUICKSTART = data/quickstart

BIN := $(VENV)/bin
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--constraint constraints.txt $(PIP_FLAGS)
PROJECT := pyproject.toml setup.cfg constraints.txt $(wildcard native/*)

# Tests that read real instances and recorded arrays skip if this is unset.
ifneq ($(wildcard ../shared/data),)
export MILPLIB_TEST_DATA ?= $(abspath ../shared/data)
endif

# Number of processes that run the tests, a file at a time.
TEST_WORKERS ?= 2

# One thread a process: more threads make small models slower and timings incomparable.
quickstart test test-pure test-slow sanitize nightly benchmark renew: export OMP_NUM_THREADS := 1
quickstart test test-pure test-slow sanitize nightly benchmark renew: export OPENBLAS_NUM_THREADS := 1
quickstart test test-pure test-slow sanitize nightly benchmark renew: export MKL_NUM_THREADS := 1

# Tests start many processes, which would otherwise each compile every module anew where an
# environment sets it. (Python takes an empty value for unset.)
test test-pure test-slow sanitize nightly: export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help quickstart test test-pure test-slow lint types sanitize nightly benchmark renew clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo "  variables: PYTHON, PIP_FLAGS, VENV; of the quickstart N, P, SAMPLES, EPOCHS, TEST, SEEDS, \
		TIME_LIMIT, QUICKSTART"

quickstart: $(VENV)/.learn ## install, generate auctions, collect samples, train and evaluate a policy
	$(BIN)/milplib generate CA-very-easy --split train --count $(N) --seed 0 \
		--out $(QUICKSTART)/ca --force
	$(BIN)/milplib generate CA-very-easy --split test --count $(TEST) --seed 0 \
		--out $(QUICKSTART)/ca --force
	$(BIN)/milplib collect $(QUICKSTART)/ca --out $(QUICKSTART)/ca.samples \
		--workers 2 --samples-per-instance $(SAMPLES) --expert-probability $(P) --seed 0 --force
	$(BIN)/milplib samples inspect $(QUICKSTART)/ca.samples
	$(BIN)/milplib train $(QUICKSTART)/ca.samples --out $(QUICKSTART)/gcnn.safetensors \
		--epochs $(EPOCHS) --seed 0 --force
	$(BIN)/milplib policy info $(QUICKSTART)/gcnn.safetensors
	$(BIN)/milplib evaluate $(QUICKSTART)/ca --policy $(QUICKSTART)/gcnn.safetensors pscost random \
		--baseline relpscost --seeds $(SEEDS) --time-limit $(TIME_LIMIT) --workers 2 \
		--out $(QUICKSTART)/results --force
	@echo "policy: $(QUICKSTART)/gcnn.safetensors; training: $(QUICKSTART)/gcnn.safetensors.training;" \
		"runs and report.html: $(QUICKSTART)/results"

test: $(VENV)/.dev ## run the tests (minutes)
	$(BIN)/pytest -m "not slow and not nightly" -n $(TEST_WORKERS) --dist loadfile

# Tests of the code that the native extension replaces: states, scores and gradients against recorded
# arrays, SCIP's own expert and finite differences.
PURE_TESTS := tests/scip tests/policies/test_gcnn.py tests/learn/test_models.py \
	tests/learn/test_edge_sum.py

test-pure: $(VENV)/.dev ## run the parity tests again, without native code
	MILPLIB_NATIVE=0 $(BIN)/pytest -m "not slow and not nightly" -n $(TEST_WORKERS) \
		--dist loadfile $(PURE_TESTS)

test-slow: $(VENV)/.dev ## run the slow tests: faults, the wheel, larger parity runs
	$(BIN)/pytest -m "slow and not nightly" -n $(TEST_WORKERS) --dist loadfile

nightly: $(VENV)/.dev ## run the tests of hours, before a release
	$(BIN)/pytest -m nightly

lint: $(VENV)/.dev ## check rules and format with ruff, then types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@$(MAKE) --no-print-directory types

# learn/ and generators/ are imported as milplib.learn and milplib.generators; a folder of links gives
# mypy the packages as installed.
types: $(VENV)/.dev ## check types with mypy, strict
	rm -rf .types
	mkdir -p .types/milplib
	ln -s $(addprefix ../../,$(wildcard milplib/*) learn generators) .types/milplib
	$(BIN)/mypy .types/milplib tests benchmarks experiments

# A separate build beside the installed one. Python is not instrumented, so the sanitizer and the C++
# library whose exceptions it intercepts must be loaded first. It cannot tell Python's own leaks from
# others, and the memory it holds back grows; tests with a bound check for leaks instead.
SANITIZED := build/sanitized
sanitize: $(VENV)/.dev ## test the native code under the address and undefined-behaviour sanitizers
	rm -rf $(SANITIZED)
	CXXFLAGS="-g -fsanitize=address,undefined -fno-sanitize-recover=undefined" \
		LDFLAGS="-fsanitize=address,undefined" $(BIN)/python -c 'import setuptools; setuptools.setup()' \
		--quiet build --build-base $(SANITIZED) --build-lib $(SANITIZED)/lib
	grep -q __asan_report $(SANITIZED)/lib/milplib/_native.abi3.so
	LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libstdc++.so)" \
		ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 MILPLIB_NATIVE=1 \
		PYTHONPATH=$(abspath $(SANITIZED)/lib) $(BIN)/pytest -p no:cacheprovider \
		-m "not slow and not nightly" -k "not memory" \
		tests/scip/test_native*.py tests/policies/test_native_gcnn*.py tests/learn/test_edge_sum.py

benchmark: $(VENV)/.dev ## print the cost of the hot paths as ratios; JSON=FILE also writes it
	$(BIN)/python benchmarks $(if $(JSON),--json $(JSON))

# Each step writes whole files: a second run changes nothing, and a run after an interruption continues
# there. Distributions are measured, minutes each, if they are new or their generator_version was raised.
renew: $(VENV)/.dev ## renew tables, hashes and pictures of features and generators; ONLY=NAME
	$(BIN)/python tools/feature_columns.py
	$(BIN)/python -m milplib.library.write_reference
	$(BIN)/python benchmarks/gallery.py
	$(BIN)/python benchmarks/difficulty.py $(ONLY)

clean: ## remove builds and caches, not the environment and data/
	rm -rf build dist *.egg-info .types .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find milplib learn generators tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# Stamps: an installation is repeated only if its inputs change.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"milplib needs Python 3.11 or newer, this is " + sys.version.split()[0] + \
		"; name another: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.learn: $(VENV)/.created $(PROJECT)
	$(PIP_INSTALL) --editable '.[learn]'
	@touch $@

$(VENV)/.dev: $(VENV)/.created $(PROJECT)
	$(PIP_INSTALL) --editable '.[dev,all]'
	@touch $@ $(VENV)/.learn
