# Two commands: `make run` shows the best the cell can do today, `make test` checks all of it.
# Both set up .venv first, once. Needs python3 (3.10-3.13) with venv, pip and make.

PYTHON      ?= python3
EXTRAS      ?= cpu,dev
CONSTRAINTS ?= constraints.txt
VENV        ?= .venv
OUT         ?= out

PY    := $(VENV)/bin/python
READY := $(VENV)/ready.$(EXTRAS)
export MUJOCO_GL ?= egl

.PHONY: run test check setup clean

# Until the cell runs: check the cell file, draw the cell, watch an expert grasp, collect scripted
# grasps, look at them, and serve them to a learner.
run: setup
	$(PY) -m calibration check calibration/cells/twin.yaml --sheet $(OUT)/cell.png
	$(PY) -m sim.gallery $(OUT)/gallery.png
	$(PY) -m sim.view --policy expert --out $(OUT)/view
	$(PY) -m sim.collect $(OUT)/log --episodes 60 --size 96
	$(PY) -m policy.experience verify $(OUT)/log
	$(PY) -m policy.experience list $(OUT)/log
	$(PY) -m policy.experience inspect $(OUT)/log --sheet $(OUT)/episode.png
	$(PY) -m policy.experience replay $(OUT)/log $(OUT)/replay --batch 128 --stack 3 --n-step 3

test: check
	$(PY) -m pytest

check: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

setup: $(READY)

# The stamp is newer than what it was made from: a second call does no work. The two onnxruntimes
# install one module: going from one to the other, the old one must leave first.
$(READY): pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv $(VENV)
	rm -f $(VENV)/ready.*
	$(PY) -m pip install --quiet --upgrade pip
	$(PY) -m pip uninstall -qq --yes onnxruntime onnxruntime-gpu
	PYTHONWARNINGS=ignore PIP_CONSTRAINT=$(CONSTRAINTS) $(PY) -m pip install --quiet --editable '.[$(EXTRAS)]'
	$(PY) -m sim.gl --install
	touch $@

clean:
	rm -rf $(VENV) $(OUT)
