# make demo    run the shipped model over a demonstration clip
# make test    run every test that this machine can run
# make board-test   build and start an emulated board (QEMU, as root), and test the service on it
# make count   count instructions on an emulated processor, and compare with the baseline
# make fuzz    give every reader broken input, SECONDS for each (600) of all or TARGETS
# make faults  let DAYS (30) pass before the service, on a clock that is moved, with thousands of faults
# make kills   kill everything that writes, KILLS times each (200), and let its disk fail
# make lint    ruff, mypy, and whether all that is installed is free
# make docs    build the documentation in build/site; warnings are errors
# make light   run the edge's tests from a wheel, without TensorFlow, on $(PYTHON)
# make wheel   build build/wheel/maskwatch-*.whl, to copy to a board
# make lock    choose the newest versions of all that is installed anew, and write requirements/
# make sbom    write build/maskwatch.cdx.json, the CycloneDX bill of what a board is given
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
# A file of tests stays in one process, which makes its models once.
PYTEST = bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile
# pip checks the hashes of all that it installs or of nothing, and a checkout or a wheel of ours has
# none in a lock: beside these, locks give versions alone.
VERSIONS = $(BUILD)/versions
LIGHT_VERSIONS = $(VERSIONS)/$(if $(findstring tflite-runtime,$(LIGHT_EXTRA)),board-numpy1,board).txt
# A board's versions are those of its oldest Python, which wheels of all three are published of: no
# condition in a lock may depend on the Python of the workstation that deploys.
LOCK = $(BUILD)/lock-env/bin/uv pip compile --quiet --upgrade --generate-hashes --no-annotate \
	--only-binary :all: --python-version 3.11 --custom-compile-command 'make lock' pyproject.toml
BOARD = --extra display --extra mqtt --extra signatures --extra web --python-platform aarch64-manylinux_2_36

.PHONY: demo test board-test count fuzz faults kills lint docs light wheel lock sbom clean python

demo: $(DEMO)/.ready
	$(DEMO)/bin/maskwatch demo $(BUILD)/demo/clip.mp4
	$(DEMO)/bin/maskwatch detect $(BUILD)/demo/clip.mp4 --annotate $(BUILD)/demo/annotated
	@echo "the annotated video is $(BUILD)/demo/annotated/clip.mp4"

test: $(DEV)/.ready
	$(DEV)/$(PYTEST) $(TESTS)
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

faults: $(DEV)/.ready
	$(DEV)/bin/python -m tests.faults.month --days $(or $(DAYS),30) --seed $(or $(SEED),0)

# Kills at system calls need strace, and full disks need root; without them, less is tried.
kills: $(DEV)/.ready
	$(DEV)/bin/python -m tests.kills.run --kills $(or $(KILLS),200) $(TARGETS)

lint: $(DEV)/.ready
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/mypy
	$(DEV)/bin/maskwatch licences --check >/dev/null

docs: $(DEV)/.ready
	NO_MKDOCS_2_WARNING=1 $(DEV)/bin/python -m mkdocs --quiet build --strict

# Not editable and not from the checkout: what a board gets, and nothing else. The tests of
# install.sh are left to `make test`: they take minutes, and are of a shell script.
light: python wheel $(LIGHT_VERSIONS) $(VERSIONS)/workstation.txt
	rm -rf $(LIGHT)
	$(PYTHON) -m venv $(LIGHT)
	$(LIGHT)/$(PIP) install -c $(LIGHT_VERSIONS) "$$(ls $(BUILD)/wheel/maskwatch-*.whl)$(LIGHT_EXTRA)"
	$(LIGHT)/$(PIP) install -c $(VERSIONS)/workstation.txt pytest pytest-xdist hypothesis
	cd tests && ../$(LIGHT)/bin/python -c \
	    "import importlib.util as util; assert util.find_spec('tensorflow') is None"
	cd tests && ../$(LIGHT)/$(PYTEST) -c ../pyproject.toml --rootdir .. --ignore edge/install edge

wheel: python $(VERSIONS)/workstation.txt
	rm -rf $(BUILD)/wheel
	$(PYTHON) -m venv $(BUILD)/wheel-env
	$(BUILD)/wheel-env/$(PIP) install -c $(VERSIONS)/workstation.txt hatchling
	$(BUILD)/wheel-env/$(PIP) wheel --no-deps --no-build-isolation -w $(BUILD)/wheel .

lock: python
	$(PYTHON) -m venv $(BUILD)/lock-env
	$(BUILD)/lock-env/$(PIP) install uv
	$(LOCK) --universal --extra dev -o requirements/workstation.txt
	$(LOCK) $(BOARD) --constraint requirements/workstation.txt -o requirements/board.txt
	$(LOCK) $(BOARD) --extra tflite-runtime -o requirements/board-numpy1.txt

sbom: $(DEV)/.ready
	$(DEV)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
	    --output-file $(BUILD)/maskwatch.cdx.json requirements/board.txt

python:
	@test -n "$(PYTHON)" || { echo "no Python 3.11, 3.12 or 3.13 found; give PYTHON=..."; exit 1; }

$(VERSIONS)/%.txt: requirements/%.txt
	mkdir -p $(VERSIONS)
	sed '/--hash/d; s/ \\$$//' $< >$@

$(DEMO)/.ready: pyproject.toml $(VERSIONS)/workstation.txt | python
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/$(PIP) install -c $(VERSIONS)/workstation.txt -e '.[demo]'
	touch $@

$(DEV)/.ready: pyproject.toml requirements/workstation.txt | python
	$(PYTHON) -m venv $(DEV)
	$(DEV)/$(PIP) install --require-hashes -r requirements/workstation.txt
	$(DEV)/$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf $(BUILD)
