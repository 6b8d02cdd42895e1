PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
TWO := -n 2 --dist loadfile --no-loadscope-reorder -o timeout_method=thread
SYNC := $(PY) -m pip install --quiet --disable-pip-version-check

.PHONY: run test check bench torture lint browser clean

run: $(VENV)/.run
	$(PY) main.py --mode dashboard $(ARGS)

test: $(VENV)/.dev browser
	$(PY) -m pytest tests --ignore tests/browser $(TWO) $(ARGS) || [ $$? -eq 5 ]
	$(PY) -m pytest tests/browser $(TWO) $(ARGS) || [ $$? -eq 5 ]

lint: $(VENV)/.dev
	$(PY) -m ruff check .
	$(PY) -m mypy

check: lint test

bench: $(VENV)/.bench browser
	$(PY) -W ignore -m benchmarks $(ARGS)

torture: $(VENV)/.dev
	$(PY) -m tests.evolution_campaign --seeds $(or $(SEEDS),40) --out docs/evolution-campaign.json
	$(PY) -m tests.live_campaign --hours $(or $(HOURS),1000)
	$(PY) -m tests.planted
	$(PY) -m tests.killing --kills $(or $(KILLS),100)
	$(PY) -m tests.fuzzing --frames $(or $(FRAMES),1000000)
	$(PY) -m tests.soak --minutes $(or $(MINUTES),60)
	$(PY) -m tests.torture --kills $(or $(KILLS),100)

browser: $(VENV)/.dev
	@$(PY) -m tests.browser.install

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt constraints.txt pyproject.toml | $(VENV)/bin/python
	$(SYNC) -r requirements.txt -c constraints.txt
	$(SYNC) --no-deps -e .
	$(PY) -m trading.warm
	$(PY) -m models.warm
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(SYNC) -r requirements-dev.txt -c constraints.txt
	@touch $@

$(VENV)/.bench: requirements-bench.txt $(VENV)/.dev
	$(SYNC) -r requirements-bench.txt -c constraints.txt
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
