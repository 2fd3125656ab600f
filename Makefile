# make demo: sets up, analyses the bundled cohort, says where the report is.   make test: sets up, runs all tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Compiled modules are kept whatever the machine's own setting: many commands and tests start an interpreter.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo kinetics virtual app test lint types lock docs golden bench characteristics start clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile

$(VENV)/core: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/core
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

demo: $(VENV)/core
	$(BIN)/reinfuse demo --out reinfuse-demo --force

# make kinetics: the CAR-T counts of the bundled cohort, with the sampled models (minutes).
$(VENV)/kinetics: requirements-kinetics.lock $(VENV)/core
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-kinetics.lock
	touch $@

kinetics: $(VENV)/kinetics
	$(BIN)/reinfuse kinetics src/reinfuse/data/synthetic_gauthier_2021 --out reinfuse-kinetics --force

# make virtual: the bundled virtual trial (nine protocols of two infusions).
$(VENV)/virtual: requirements-virtual.lock $(VENV)/core
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-virtual.lock
	touch $@

virtual: $(VENV)/virtual
	$(BIN)/reinfuse virtual trial --out reinfuse-virtual --force

# make app: opens the app in the browser.
$(VENV)/app: requirements-app.lock $(VENV)/core
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-app.lock
	touch $@

app: $(VENV)/app
	$(BIN)/reinfuse app

test: $(VENV)/dev
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev
	$(BIN)/mypy

# make lock: pins every dependency with its hashes (needs uv).
lock:
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra setup pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra setup --extra app pyproject.toml -o requirements-app.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra setup --extra kinetics pyproject.toml -o requirements-kinetics.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra setup --extra sas pyproject.toml -o requirements-sas.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra setup --extra pool pyproject.toml -o requirements-pool.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra setup --extra virtual pyproject.toml -o requirements-virtual.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra setup --extra fhir pyproject.toml -o requirements-fhir.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra setup --extra omop pyproject.toml -o requirements-omop.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra setup --extra omop --extra omop-postgres pyproject.toml -o requirements-omop-postgres.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra setup --extra omop --extra omop-spark pyproject.toml -o requirements-omop-spark.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra setup --extra app --extra kinetics --extra fhir --extra omop --extra omop-postgres --extra pool --extra sas --extra virtual --extra dev pyproject.toml -o requirements-dev.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra setup --extra docs pyproject.toml -o requirements-docs.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra setup --extra kinetics --extra virtual --extra bench pyproject.toml -o requirements-bench.lock

# make docs: makes docs/values.md and the tables of analyses in docs/plan.md and docs/methods.md again, then the site in docs/_build/html.
$(VENV)-docs/ready: requirements-docs.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)-docs
	$(VENV)-docs/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-docs.lock
	$(VENV)-docs/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

docs: $(VENV)-docs/ready
	$(VENV)-docs/bin/python -m reinfuse.analyses.documentation docs/plan.md docs/methods.md
	$(VENV)-docs/bin/python -m reinfuse.sources.documentation docs/values.md
	REINFUSE_STRICT=1 $(VENV)-docs/bin/python docs/generate.py
	$(BIN)/python docs/app_pictures.py docs/gallery || echo "No pictures of the app: they need make test's libraries and a Chromium."
	$(VENV)-docs/bin/python -m sphinx -q -E -W --keep-going docs docs/_build/html

# make golden: makes R's golden numbers again (needs R with survival, brglm2, cmprsk, mice, nlme, clubSandwich, metafor, jsonlite).
golden:
	Rscript tests/golden/make_golden.R
	Rscript tests/golden/make_golden_association.R
	Rscript tests/golden/make_golden_kinetics.R
	Rscript tests/golden/make_golden_baseline.R
	Rscript tests/golden/make_golden_rmst.R
	Rscript tests/golden/make_golden_predictions.R
	Rscript tests/golden/make_golden_hierarchy.R
	Rscript tests/golden/make_golden_endpoint_rules.R
	Rscript tests/golden/make_golden_competing.R
	Rscript tests/golden/make_golden_centres.R
	Rscript tests/golden/make_golden_synthesis.R
	Rscript tests/golden/make_mice.R
	Rscript docs/comparison.R

# make bench: runs the benchmarks in an environment of their own (needs R with survival and jsonlite).
bench: requirements-bench.lock
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-bench.lock
	$(VENV)-bench/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(VENV)-bench/bin/python benchmarks/large_cohort.py
	$(VENV)-bench/bin/python benchmarks/firth_null.py
	$(VENV)-bench/bin/python benchmarks/resampling.py
	$(VENV)-bench/bin/python benchmarks/imputation.py
	$(VENV)-bench/bin/python benchmarks/nca.py
	$(VENV)-bench/bin/python benchmarks/virtual/solvers.py

# make characteristics: goes on with the simulation study of tests and intervals (hours), and draws it.
characteristics: requirements-bench.lock
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-bench.lock
	$(VENV)-bench/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(VENV)-bench/bin/python benchmarks/operating_characteristics/run.py
	$(VENV)-bench/bin/python benchmarks/operating_characteristics/figure.py

# make start: times the command line and the demo.
start: $(VENV)/core
	$(BIN)/python benchmarks/start.py

clean:
	rm -rf $(VENV) $(VENV)-bench $(VENV)-docs docs/_build docs/api docs/gallery reinfuse-demo reinfuse-kinetics reinfuse-virtual .mypy_cache .ruff_cache .pytest_cache .hypothesis
