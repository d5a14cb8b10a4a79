# Two commands: `make run` shows the best the cell can do today, `make test` checks all of it.
# Both set up .venv first, once. Needs python3 (3.10-3.13) with venv, pip and make.

PYTHON      ?= python3
EXTRAS      ?= cpu,dev
CONSTRAINTS ?= constraints.txt
VENV        ?= .venv
OUT         ?= out
RUN         ?= runs/twin
EPISODES    ?= 60

PY    := $(VENV)/bin/python
READY := $(VENV)/ready.$(EXTRAS)
export MUJOCO_GL ?= egl

.PHONY: run test check setup clean

# The shipped policy in the twin's room at night: it grasps, judges itself, drops, and finds its camera.
run: setup
	$(PY) -m calibration check calibration/cells/twin.yaml --sheet $(OUT)/cell.png
	$(VENV)/bin/rosless launch launch/grasp_finetune.launch.py episodes:=$(EPISODES) preset:=lab_night \
		log:=$(RUN)/log learner:=$(RUN)/learner report:=$(RUN)/report reward_folder:=$(RUN)/reward
	$(PY) -m policy.experience list $(RUN)/log

# A test that hangs says where, and ends the run: the longest takes about a minute.
test: check
	$(PY) -m pytest -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true

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
	rm -rf $(VENV) $(OUT) runs
