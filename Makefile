# make demo    run the shipped model over a demonstration clip
# make test    run every test that this machine can run
# make board-test   build and start an emulated board (QEMU, as root), and test the service on it
# make count   count instructions on an emulated processor, and compare with the baseline
# make fuzz    give every reader of files broken ones, SECONDS for each (600)
# make kills   kill everything that writes, KILLS times each (200), and let its disk fail
# make lint    ruff and mypy
# make docs    build the documentation in build/site; warnings are errors
# make light   run the edge's tests from a wheel, without TensorFlow, on $(PYTHON)
# make wheel   build build/wheel/maskwatch-*.whl, to copy to a board
# make clean   remove what the others made

# The first Python that Maskwatch supports; name another with PYTHON=...
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo $$python && break; done)

PIP = bin/python -m pip --disable-pip-version-check --quiet
BUILD = build
DEMO = $(BUILD)/demo-env
DEV = $(BUILD)/dev-env
LIGHT = $(BUILD)/light-env-$(notdir $(PYTHON))
LIGHT_EXTRA ?=

.PHONY: demo test board-test count fuzz kills lint docs light wheel clean python

demo: $(DEMO)/.ready
	$(DEMO)/bin/maskwatch demo $(BUILD)/demo/clip.mp4
	$(DEMO)/bin/maskwatch detect $(BUILD)/demo/clip.mp4 --annotate $(BUILD)/demo/annotated
	@echo "the annotated video is $(BUILD)/demo/annotated/clip.mp4"

test: $(DEV)/.ready
	$(DEV)/bin/python -m pytest $(TESTS)
	@echo "not run: the tests of the service on an emulated board; make board-test runs them"

# Exit code 69 of the build: this machine cannot have QEMU, and it has said why.
board-test: $(DEV)/.ready
	tests/board/build-board.sh || test $$? = 69
	$(DEV)/bin/python -m pytest -m board $(or $(TESTS),tests/board)

# Exit code 69: it cannot be had here, and has said why.
count: $(DEV)/.ready
	@PYTHON=$(DEV)/bin/python benchmarks/instructions/build.sh; code=$$?; \
	if [ $$code = 69 ]; then echo "not counted: instructions"; exit 0; fi; \
	[ $$code = 0 ] && $(DEV)/bin/python -m benchmarks.instructions.count

# Its guide is an extra of its own: there is none for every Python and system.
fuzz: $(DEV)/.ready
	$(DEV)/$(PIP) install atheris
	$(DEV)/bin/python -m tests.fuzz.run --seconds $(or $(SECONDS),600) $(TARGETS)

# Kills at system calls need strace, and full disks need root; without them, less is tried.
kills: $(DEV)/.ready
	$(DEV)/bin/python -m tests.kills.run --kills $(or $(KILLS),200) $(TARGETS)

lint: $(DEV)/.ready
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/mypy

docs: $(DEV)/.ready
	NO_MKDOCS_2_WARNING=1 $(DEV)/bin/python -m mkdocs --quiet build --strict

# Not editable and not from the checkout: what a board gets, and nothing else. The tests of
# install.sh are left to `make test`: they take minutes, and are of a shell script.
light: python wheel
	rm -rf $(LIGHT)
	$(PYTHON) -m venv $(LIGHT)
	$(LIGHT)/$(PIP) install "$$(ls $(BUILD)/wheel/maskwatch-*.whl)$(LIGHT_EXTRA)" pytest hypothesis
	cd tests && ../$(LIGHT)/bin/python -c \
	    "import importlib.util as util; assert util.find_spec('tensorflow') is None"
	cd tests && ../$(LIGHT)/bin/python -m pytest -c ../pyproject.toml --rootdir .. \
	    --ignore edge/install edge

wheel: python
	rm -rf $(BUILD)/wheel
	$(PYTHON) -m venv $(BUILD)/wheel-env
	$(BUILD)/wheel-env/$(PIP) wheel --no-deps -w $(BUILD)/wheel .

python:
	@test -n "$(PYTHON)" || { echo "no Python 3.11, 3.12 or 3.13 found; give PYTHON=..."; exit 1; }

$(DEMO)/.ready: pyproject.toml | python
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/$(PIP) install -e '.[demo]'
	touch $@

$(DEV)/.ready: pyproject.toml | python
	$(PYTHON) -m venv $(DEV)
	$(DEV)/$(PIP) install -e '.[dev]'
	touch $@

clean:
	rm -rf $(BUILD)
