# Everything here runs from a checkout, with Python 3.11 or newer; Node is used from the system or from a wheel.
# `make PYTHON=/path/to/python3.12 demo` chooses the Python that makes .venv.

SHELL := /bin/bash
.SHELLFLAGS := -e -u -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test test-tools test-az lint rendered schema bench lock clean

# Settings of the person's pip and Python that would install elsewhere than .venv, or import from elsewhere.
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_CONSTRAINT PYTHONPATH PYTHONHOME

PYTHON ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
UV_COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate
LOCK_HEADER := \# Locked with hashes for Python 3.11 to 3.14; made by `make lock`.

help: ## Say what can be made.
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r name text; do \
		printf '  make %-11s %s\n' "$$name" "$$text"; done

demo: .venv/local.stamp ## Run specs/topwords.yaml on the local engine and show the results.
	@echo '== batchspec apply specs/topwords.yaml --target local'
	@$(BIN)/batchspec apply specs/topwords.yaml --target local --yes
	@echo; echo '== The top words'
	@for file in results/topwords/*_OUTPUT.txt; do echo "$$file"; sed 's/^/    /' "$$file"; done
	@echo; echo '== Next: `$(BIN)/batchspec delete specs/topwords.yaml --target local`, or edit a text and `make demo` again.'

test: test-tools ## Run all tests.
	@echo '== pytest'
	@$(BIN)/python -m pytest -n auto --dist worksteal

test-tools: .venv/dev.stamp ## Install what the tests need: .venv with the locked dependencies, and ffmpeg.
	@if ! { command -v ffmpeg && command -v ffprobe; } >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo '== Installing ffmpeg with apt-get, once'; \
			{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ffmpeg; } \
				>.venv/ffmpeg.log 2>&1 </dev/null || { tail -n 20 .venv/ffmpeg.log; exit 1; }; \
		else \
			echo 'The tests need ffmpeg and ffprobe. Install them first: `sudo apt-get install ffmpeg`, or' \
				'`brew install ffmpeg` on macOS.' >&2; \
			exit 1; \
		fi; \
	fi

test-az: .venv/dev.stamp .venv-az/az.stamp ## Run the Azure CLI against the engine (installs it into .venv-az, 730 MB).
	@echo '== pytest tests/clients/test_az.py'
	@BATCHSPEC_TEST_AZ=.venv-az/bin/az $(BIN)/python -m pytest tests/clients/test_az.py

lint: .venv/dev.stamp ## Check format, style and types.
	@echo '== ruff format --check'
	@$(BIN)/ruff format --check .
	@echo '== ruff check'
	@$(BIN)/ruff check .
	@echo '== mypy'
	@$(BIN)/mypy

rendered: .venv/local.stamp ## Write specs/rendered anew: what each example spec renders to.
	@for spec in specs/*.yaml; do \
		$(BIN)/batchspec render "$$spec" --out "specs/rendered/$$(basename "$$spec")" || exit; done

schema: .venv/local.stamp ## Write the JSON Schema anew, and the reference that README.md and schemas/ have of it.
	@$(BIN)/python -m schemas.generate

bench: .venv/dev.stamp ## Measure what the benchmarks/ folder measures.
	@for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python -m "benchmarks.$$(basename "$$file" .py)"; done

lock: ## Choose the newest dependencies anew and write .requirements/*.txt (installs uv in .venv-lock).
	@echo '== .requirements/*.txt, by uv'
	@"$$(PYTHON='$(PYTHON)' bash .ci/find-python)" -m venv .venv-lock
	@.venv-lock/bin/python -m pip --disable-pip-version-check --quiet install uv
	@rm -f .requirements/*.txt
	@.venv-lock/bin/$(UV_COMPILE) --extra dev pyproject.toml .requirements/build.in -o .requirements/dev.txt
	@.venv-lock/bin/$(UV_COMPILE) --extra local --constraints .requirements/dev.txt \
		pyproject.toml .requirements/build.in -o .requirements/local.txt
	@for name in batch-11 batch-14 az; do \
		.venv-lock/bin/$(UV_COMPILE) .requirements/$$name.in -o .requirements/$$name.txt; done
	@for file in .requirements/*.txt; do \
		{ printf '%s\n' '$(LOCK_HEADER)'; cat "$$file"; } >"$$file.new"; mv "$$file.new" "$$file"; done

clean: ## Stop the local engine started from here, and remove .venv, results and caches.
	@if [ -x $(BIN)/batchspec ]; then $(BIN)/batchspec engine stop; fi
	@rm -rf .venv .venv-lock .venv-az results specs/results dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo '== Removed. The engine keeps its state; `batchspec engine reset` deletes it.'

# .venv is made again when its Python has gone. A stamp is newer than the lock file that was installed; with both in
# order nothing is run and nothing is fetched.
$(shell [ ! -e .venv/python.stamp ] || $(BIN)/python -c '' 2>/dev/null || rm -f .venv/*.stamp)

# A lock file is complete: --no-deps, since pip would else look for newer releases of what is asked for with extras.
.venv/python.stamp:
	@python=$$(PYTHON='$(PYTHON)' bash .ci/find-python); \
		echo "== Making .venv with $$("$$python" --version)"; \
		rm -rf .venv; \
		"$$python" -m venv .venv || { rm -rf .venv; \
			echo 'Python could not make a virtual environment (on Debian and Ubuntu: apt-get install python3-venv).' >&2; \
			exit 1; }; \
		touch .venv/python.stamp

.venv/local.stamp: .venv/python.stamp .requirements/local.txt pyproject.toml
	@echo '== Installing batchspec[local] from this checkout, its dependencies as locked in .requirements/local.txt'
	@$(PIP) install --no-deps --require-hashes --requirement .requirements/local.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q batchspec
	@touch .venv/local.stamp

.venv/dev.stamp: .venv/python.stamp .requirements/dev.txt pyproject.toml
	@echo '== Installing batchspec[dev] from this checkout, its dependencies as locked in .requirements/dev.txt'
	@$(PIP) install --no-deps --require-hashes --requirement .requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q batchspec
	@touch .venv/local.stamp .venv/dev.stamp

.venv-az/az.stamp: .requirements/az.txt
	@echo '== Installing the Azure CLI as locked in .requirements/az.txt: a minute or two'
	@rm -rf .venv-az
	@"$$(PYTHON='$(PYTHON)' bash .ci/find-python)" -m venv .venv-az
	@.venv-az/bin/python -m pip --disable-pip-version-check -qq install --no-deps --require-hashes --requirement .requirements/az.txt
	@touch .venv-az/az.stamp
