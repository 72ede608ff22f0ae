# Two commands are all a newcomer needs:  make book  and  make test.
.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV   := .venv
PYTHON := $(VENV)/bin/python
READY  := $(VENV)/.ready
SPARK  := $(VENV)/.spark

.PHONY: help book test test-spark lint lab serve bench grades clean lock browser spark

help:
	@echo "make book    environment, data, reports and the site in _build/html"
	@echo "make test    lint, library, notebooks, and the site in a real browser"
	@echo "make test-spark   every mart on Spark as on DuckDB (fetches PySpark; needs Java 17)"
	@echo "make lab     JupyterLab: every notebook opens and runs as it is"
	@echo "make serve   look at the built site"
	@echo "make grades  every method where the truth is known, kept in data/grades (an hour or two)"
	@echo "make bench   speed and memory, printed"
	@echo "make lock    compile requirements.txt anew from pyproject.toml"
	@echo "make clean   remove everything that was generated (the environment stays)"

# The environment is made anew only when what it is made from has changed.
$(READY): requirements.txt requirements-data.txt pyproject.toml
	@bash tools/environment.sh $(VENV)
	@touch $@

book: $(READY)
	@$(VENV)/bin/shopbook data build --if-needed
	@$(VENV)/bin/shopbook build

lint: $(READY)
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

browser: $(READY)
	@bash tools/browser.sh

# Tests run two at a time: a second maths thread in each would only make both wait.
test test-spark: export OMP_NUM_THREADS := 1

test: lint browser
	@$(VENV)/bin/shopbook data build --if-needed
	@$(PYTHON) -m pytest -n 2 --dist loadscope --durations=25 --durations-min=5
	@$(PYTHON) -m pytest -c pytest.nbval.ini --rootdir . --nbval-lax --nbval-current-env -n 2 --dist loadfile notebooks

# PySpark is half a gigabyte: only those who ask for it get it.
$(SPARK): $(READY) requirements-spark.txt
	@bash tools/spark.sh $(VENV)
	@touch $@

spark: $(SPARK)

test-spark: $(SPARK)
	@$(PYTHON) -m pytest -m spark tests/spark

# Small matrices: a second maths thread only waits for the first.
lab grades: export OMP_NUM_THREADS := 1

lab: $(READY)
	@$(VENV)/bin/shopbook data build --if-needed
	@$(VENV)/bin/jupyter lab notebooks

serve: $(READY)
	@$(VENV)/bin/shopbook serve

grades: $(READY)
	@$(VENV)/bin/shopbook data build --if-needed
	@$(VENV)/bin/shopbook grade

bench: $(READY)
	@$(VENV)/bin/shopbook data build --if-needed
	@$(PYTHON) tools/bench.py
	@$(PYTHON) tools/bench_metrics.py
	@$(PYTHON) tools/bench_experiments.py
	@$(PYTHON) tools/bench_campaigns.py
	@$(PYTHON) tools/bench_regression.py

lock:
	@bash tools/lock.sh

clean:
	rm -rf _build .shopbook data/built .pytest_cache .ruff_cache .hypothesis
