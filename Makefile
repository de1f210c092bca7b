# make demo   a first training on Spark: embedded digits, two worker tasks, about a minute after the installation
# make test   every check: format, lint, types, import contracts, tests, Spark tests, doctests

CONF   ?= conf/digits.toml
MASTER ?= local[2]
VENV   ?= .venv

BIN    := $(abspath $(VENV))/bin
PY     := $(BIN)/python
# The newest of these that is Python 3.11 or newer. `make PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	    $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done)

# Executors and driver run the same Python; jobs/spark holds quiet logging for the jobs started from here.
export PYSPARK_PYTHON := $(PY)
export PYSPARK_DRIVER_PYTHON := $(PY)
SUBMIT = SPARK_CONF_DIR=$(CURDIR)/jobs/spark $(BIN)/spark-submit --master "$(MASTER)"

.PHONY: demo test venv venv-test venv-bench lint types contracts unit bench java python clean

demo: java venv
	@$(SUBMIT) jobs/train.py $(CONF) --overwrite
	@$(SUBMIT) jobs/predict.py $(CONF) --overwrite

test: java lint types contracts unit

lint: venv-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: venv-test
	$(BIN)/mypy

contracts: venv-test
	$(BIN)/lint-imports --no-logo

unit: java venv-test
	$(PY) -m pytest --doctest-modules tests sparkdl

bench: java venv-bench
	$(PY) -m benchmarks.engine

# The stamps are as old as the last installation: pip runs again only when pyproject.toml is newer.
venv: $(VENV)/.stamp-spark
venv-test: $(VENV)/.stamp-test
venv-bench: $(VENV)/.stamp-bench

$(VENV)/.stamp-%: pyproject.toml | python
	@test -x $(PY) || "$(PYTHON)" -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

python:
	@test -n "$(PYTHON)" || { echo "sparkdl needs Python 3.11 or newer, and there is none on this machine's PATH:" \
	  "install it with 'apt-get install python3 python3-venv' (Debian 12, Ubuntu 24.04), 'brew install python@3.12'" \
	  "(macOS) or 'conda install python=3.12' (conda), or run 'make PYTHON=/path/to/python'." >&2; exit 1; }

java: | python
	@"$(PYTHON)" -I sparkdl/cli/java.py

clean:
	rm -rf $(VENV) out build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
