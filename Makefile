# A target that needs .venv/ makes it first; where that is up to date it takes a tenth of a second.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-debian13 check docs bench bench-short bench-compare lock clean
unexport PYTHONHOME PYTHONPATH

# `make setup PYTHON=python3.11` takes that one; left empty, tools/make_venv.py chooses.
PYTHON :=
# That file is run by the first of these that really starts: a shim of pyenv's may stand on PATH and run nothing.
PYTHONS := .venv/bin/python python3 python3.13 python3.12 python3.11 python3.10 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.1*/bin/python
STARTS := import sys; sys.exit(sys.version_info < (3, 8))
NONE := make_venv: expected Python 3.10 or newer on PATH, received none that runs. Install python3 and python3-venv.
make_venv = for python in $(PYTHONS); do "$$python" -I -c '$(STARTS)' 2>/dev/null && exec "$$python" -I tools/make_venv.py $(1); done; echo '$(NONE)' >&2; exit 2

help:  ## print this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1	\2/p' Makefile

setup:  ## make .venv/ from requirements.lock
	@$(call make_venv,$(if $(PYTHON),"$(PYTHON)"))

demo: setup  ## make an image folder of handwritten digits and run the whole pipeline on it
	@test -f demo/pipeline.yaml || .venv/bin/imgpipe init demo --demo
	@.venv/bin/imgpipe run --config demo/pipeline.yaml

# Two files at a time, for half of the tests wait for a process or import TensorFlow; each holds up to 3 GiB.
TESTS := -n 2 --dist loadfile --no-loadscope-reorder

test: setup  ## run the tests; TESTS=FILE: these
	@.venv/bin/python -m pytest $(TESTS)

test-debian13:  ## run the tests on the newer TFX line in a Debian 13 of its own, as root; TESTS=FILE: these
	@tools/debian13.sh $(TESTS)

check: setup  ## check format, style, types, the layers and the documentation
	@.venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/mypy && .venv/bin/lint-imports --no-logo && $(mkdocs)

# Material's notice about MkDocs 2, which pyproject.toml excludes, would stand in every build.
mkdocs = NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet

docs: setup  ## build the documentation into site/, which opens from the disk
	@$(mkdocs) && echo 'Open site/index.html.'

# What is measured is kept here.
BENCH := bench.json

bench: setup  ## measure what a run costs beside Keras and stock TFX, half an hour; BENCH=FILE keeps it
	@.venv/bin/python -m bench --json $(BENCH)

bench-short: setup  ## the same on less data and without limits, in minutes
	@.venv/bin/python -m bench --short --json $(BENCH)

bench-compare: setup  ## measure again what BENCH=FILE holds, and show both
	@.venv/bin/python -m bench --compare $(BENCH)

lock:  ## resolve pyproject.toml into requirements.lock
	@$(call make_venv,lock)

clean:  ## remove what the targets above made
	@rm -rf .venv demo site .debian13 build dist *.egg-info .*_cache
