# The three commands of CONTRIBUTING.md. They use the tools of .venv; make that first:
#   python3 -m venv .venv && .venv/bin/pip install -e '.[dev]'
BIN ?= .venv/bin

.PHONY: check test full campaign docs

check: # style, types, and which room may import from which
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

test: # the quick tests
	$(BIN)/python -m pytest -q -m "not slow" -n 2

full: # all there is, on a clean environment
	.ci/run
	.ci/full

docs: # the documents as a site, in build/site; needs the extra docs, no network
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --fresh-env -q -c docs . build/site

campaign: # what could break it, thousands of times from a seed; NAMES='kills power' SEED=1 chooses; all take up to 90 minutes
	$(BIN)/python -m tests.campaigns $(NAMES) $(if $(SEED),--seed $(SEED))
