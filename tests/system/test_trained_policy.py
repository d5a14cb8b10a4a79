"""The policy that comes with the house: it fits the twin's cell, is small, and grasps."""

from __future__ import annotations

import json
from pathlib import Path

import policy
from calibration import load_cell
from policy.contract import read_card, require_fit
from policy.evaluate import HELD_OUT, judged, parser

HOUSE = Path(__file__).resolve().parents[2]
TRAINED = Path(policy.__file__).parent / "trained/grasp.onnx"
ARGUMENTS = {"cameras": ["wrist_depth"], "randomize": {}}


def test_fits_the_twins_cell_and_is_small() -> None:
    card = read_card(TRAINED)
    cell = load_cell(HOUSE / "calibration/cells/twin.yaml")
    require_fit(card, cell.id, cell.interface(("wrist_depth",)))
    assert TRAINED.stat().st_size < 5_000_000
    assert card.success is not None
    assert card.success.episodes >= 300


def test_grasps_in_the_randomised_twin() -> None:
    task = ["--task", "sim:regrasp/BinGrasp-v0", "--arguments", json.dumps(ARGUMENTS)]
    seed = str(HELD_OUT + 10_000)  # not those that the card's count is of
    choice = ["policy", *task, "--episodes", "20", "--seed", seed]
    success = judged(TRAINED, parser("evaluate", None).parse_args(choice)).success
    assert success is not None
    assert success.successes >= 10
