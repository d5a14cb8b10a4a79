"""Calibrating cells whose true values are hidden, and OpenCV's hand-eye solvers on the same data.

    python -m benchmarks.hand_eye

Each cell: another lens, another place of the camera and of the board, corners off by 0.2 to 0.3 px,
the arm's poses by 0.1 mm and 0.02 deg about each axis. First the lens, from views that a person
shows as the coverage asks for; then 15 planned poses. Corners are computed, not rendered: that is
tests/calibration/test_rendered.py.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.harness import machine
from benchmarks.hidden_cells import CAMERAS, HiddenCell, poses
from calibration.chain import Mount
from calibration.handeye import calibrate, plain
from calibration.intrinsics import calibrate as calibrate_lens
from calibration.pnp import board_pose
from calibration.refine import Task
from calibration.rigid import apart

Array = npt.NDArray[np.float64]
RESULT = Path(__file__).with_name("results") / "hand_eye.json"
POSES = 15
JOINT, FIXED = "regrasp", "regrasp, lens fixed"


@dataclass(frozen=True)
class Trial:
    """One cell: errors against what was hidden."""

    number: int
    model: str
    chosen: str
    views: int
    focal: float  # %, of the worse axis
    focal_sd: float  # %, as told
    place: dict[str, float]  # mm, by method
    turn: dict[str, float]  # deg
    sd: tuple[float, float]  # mm and deg, as told
    outliers: int


def trial(number: int, mount: Mount) -> Trial:
    cell, random = HiddenCell.drawn(number, mount), np.random.default_rng([number, 7])
    views = cell.shown(random)
    lens = calibrate_lens(cell.board, views, (cell.lens.width, cell.lens.height))
    told, seen = cell.touched(poses(cell, POSES, number), random)
    fixed = Task(cell.board, lens.lens, mount, told, seen)
    joint = calibrate(Task(cell.board, lens.lens, mount, told, seen, lens_known=lens.information))
    boards = [board_pose(cell.board, lens.lens, view) for view in seen]
    cameras = {
        JOINT: joint.camera, FIXED: calibrate(fixed).camera, **plain(fixed, boards)
    }  # fmt: skip
    errors = {name: apart(camera, cell.camera) for name, camera in cameras.items()}
    true, found = np.array(cell.lens.focal), np.array(lens.lens.focal)
    place, turn = joint.found.camera_sd
    return Trial(
        number, cell.lens.distortion_model, lens.lens.distortion_model, len(views),
        float(100 * np.abs(found / true - 1).max()), float(100 * lens.focal_sd / true.min()),
        {name: round(1000 * place, 4) for name, (place, _) in errors.items()},
        {name: round(float(np.degrees(turn)), 5) for name, (_, turn) in errors.items()},
        (1000 * place, float(np.degrees(turn))), len(joint.outliers),
    )  # fmt: skip


def table(trials: dict[str, list[Trial]]) -> str:
    """Median and 95th percentile, and how many times the joint refinement's error, cell by cell."""
    lines = [
        "| camera | method | mm, median | 95 % | deg, median | 95 % | times ours, mm | deg |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for camera, done in trials.items():
        for name in done[0].place:
            place, turn = (_column(done, what, name) for what in ("place", "turn"))
            ours = [_column(done, what, JOINT) for what in ("place", "turn")]
            cells = [f"{_at(values, share):.3f}" for values in (place, turn) for share in (50, 95)]
            ratios = [
                f"{np.nanmedian(theirs / own):.2f}"
                for theirs, own in zip((place, turn), ours, strict=True)
            ]
            lines.append(f"| {camera} | {name} | {' | '.join(cells + ratios)} |")
    return "\n".join(lines)


def _column(trials: list[Trial], what: str, method: str) -> Array:
    """NaN where a solver found nothing."""
    return np.array([getattr(one, what).get(method, np.nan) for one in trials])


def _at(values: Array, share: float) -> float:
    return float(np.nanpercentile(values, share))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cells", type=int, default=50)
    count = parser.parse_args().cells
    trials = {
        camera: [trial(number, mount) for number in range(count)]
        for mount, camera in CAMERAS.items()
    }
    focal = {camera: np.array([one.focal for one in done]) for camera, done in trials.items()}
    summary = {
        camera: {"median": _at(errors, 50), "p95": _at(errors, 95), "largest": float(errors.max())}
        for camera, errors in focal.items()
    }
    result = {
        "command": "python -m benchmarks.hand_eye",
        "machine": machine(["numpy", "scipy", "opencv-python-headless"]),
        "focal error, %": summary,
        "trials": {camera: [asdict(one) for one in done] for camera, done in trials.items()},
    }
    RESULT.write_text(json.dumps(result) + "\n")
    print(json.dumps(summary, indent=1))
    print(table(trials))


if __name__ == "__main__":
    main()
