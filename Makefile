# make report builds and publishes the demo; make test runs every test. Both set up what they need.
.DEFAULT_GOAL := help
.PHONY: help report demo serve lab check schemas test test-quick differential costs planted bench errors kills golden methods lint types format lock clean
WEEKS ?= 2026-W45..2026-W47
PORT ?= 8000
CASES ?= 2000
KILLS ?= 200
GAZETTE = .venv/bin/gazette
# one more than there are cores, as tests also wait for disks and other programs
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST = .venv/bin/pytest -q -n $(WORKERS) --dist loadgroup --no-loadscope-reorder
export MLFLOW_DISABLE_TELEMETRY = true
export PYTHONDONTWRITEBYTECODE =

help: ## list what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/stamp-run: requirements.txt requirements-tools.txt pyproject.toml
	@tools/setup.sh run

.venv/stamp-dev: requirements-dev.txt requirements-oracles.txt requirements-tools.txt pyproject.toml
	@tools/setup.sh dev

report: .venv/stamp-run ## set up, make the demo data, build three editions and the shelf
	@$(GAZETTE) demo
	@$(GAZETTE) build $(WEEKS)

demo: .venv/stamp-run ## make the demo data
	@$(GAZETTE) demo

serve: .venv/stamp-run ## serve the published site on loopback (PORT=8000)
	@$(GAZETTE) serve --port $(PORT)

lab: .venv/stamp-dev ## open a fork in JupyterLab (FORK=forks/NAME)
	@.venv/bin/jupyter lab --ServerApp.root_dir="$(or $(FORK),forks)"

check: .venv/stamp-run ## report every problem in params/
	@$(GAZETTE) check

methods: .venv/stamp-dev ## write the editions' page of methods from docs/statistics.md
	@.venv/bin/python tests/methods.py

schemas: .venv/stamp-run ## write the JSON Schemas of the parameter files
	@$(GAZETTE) schemas

test: .venv/stamp-dev ## set up what tests need, then lint and all tests, types among them
	@$(MAKE) --no-print-directory lint
	@tools/monitoring.sh
	@tools/postgres.sh
	@GAZETTE_BROWSER="$$(tools/browser.sh)" && export GAZETTE_BROWSER && $(PYTEST)

test-quick: .venv/stamp-dev ## the same without tests that build an edition, open a browser, start a server, or took more than 1 s the last time
	@$(MAKE) --no-print-directory lint
	@GAZETTE_TEST_QUICK=1 $(PYTEST) -m "not integration and not browser and not server and not slow"

differential: .venv/stamp-dev ## generate messy inputs and compare all numbers with pandas and scipy (CASES=2000)
	@tools/postgres.sh
	@GAZETTE_DIFFERENTIAL=$(CASES) $(PYTEST) tests/differential

costs: .venv/stamp-dev ## write the list of long tests in CONTRIBUTING.md anew from the last run
	@.venv/bin/python tests/costs.py

planted: .venv/stamp-dev ## plant faults in a copy of the library and see that the tests notice them
	@.venv/bin/python tests/planted.py

errors: .venv/stamp-dev ## simulate errors and coverage of every method and write docs/errors.md (QUICK=1 prints a small form)
	@.venv/bin/python bench/errors.py $(if $(QUICK),--quick,--json bench/errors.json --markdown docs/errors.md)

bench: .venv/stamp-dev report errors ## measure speed as paired ratios, and errors of long simulations
	@.venv/bin/python bench/looks.py
	@.venv/bin/python bench/estimates.py
	@.venv/bin/python bench/learnt.py
	@.venv/bin/python bench/intervals.py
	@.venv/bin/python bench/experiments.py
	@.venv/bin/python bench/warm.py
	@.venv/bin/python bench/editions.py

kills: .venv/stamp-dev ## kill and starve commands at random and see that nothing published changes (KILLS=200)
	@.venv/bin/python bench/kills.py $(KILLS)

golden: .venv/stamp-dev ## write anew the numbers that the templates find on a fixed small project
	@.venv/bin/python tests/golden.py

lint: .venv/stamp-dev
	@.venv/bin/ruff check -q .
	@.venv/bin/ruff format -q --check .

types: .venv/stamp-dev ## check types
	@.venv/bin/mypy

format: .venv/stamp-dev ## format the code
	@.venv/bin/ruff check -q --fix .
	@.venv/bin/ruff format -q .

lock: .venv/stamp-dev ## write the lock files anew from pyproject.toml
	@tools/lock.sh

clean: ## remove what was generated, sealed editions excepted
	rm -rf _site _preview .gazette/work .gazette/cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
