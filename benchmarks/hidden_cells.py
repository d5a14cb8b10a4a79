"""Cells whose true values are drawn and hidden: what a camera and an arm would tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from calibration import load_cell
from calibration.board import FEWEST, Board, View
from calibration.chain import Mount, Noise, nudged, seen
from calibration.coverage import Coverage
from calibration.guided import plan_of
from calibration.lens import Lens
from calibration.poses import Plan, centred, plan
from calibration.rigid import moved, turned

Array = npt.NDArray[np.float64]
CELL = Path(__file__).resolve().parents[1] / "calibration/cells/twin.yaml"
CAMERAS: dict[Mount, str] = {"world": "front", "wrist": "wrist"}
MOST_VIEWS = 45
DRAWS = 4000
FOLDED = 1e-3  # of a ray


@dataclass(frozen=True)
class HiddenCell:
    """The truth, and the noise of what it tells."""

    board: Board
    mount: Mount
    lens: Lens
    camera: Array
    placed: Array  # the board, as in calibration.chain
    noise: Noise
    about: Plan  # what a person knows beforehand

    @classmethod
    def drawn(
        cls, number: int, mount: Mount, metres: float = 0.02, degrees: float = 2.0
    ) -> HiddenCell:
        """Camera so far, along and about each axis, from where the cell file has it; another
        lens."""
        random = np.random.default_rng([number, mount == "wrist"])
        board = Board()
        about = plan_of(load_cell(CELL), CAMERAS[mount], board)
        noise = Noise(float(random.uniform(0.2, 0.3)), 1e-4, np.radians(0.02))
        return cls(
            board, mount, _lens(about.lens, random),
            nudged(about.camera, _six(random, metres, degrees)),
            nudged(about.placed, _six(random, 0.01, 2)), noise, about,
        )  # fmt: skip

    def view(self, pose: Array, random: np.random.Generator) -> View | None:
        """The board at `pose` in the camera's frame; None where too little of it is in sight."""
        local = moved(pose, self.board.points)
        spots = self.lens.project(local)
        size = np.array([self.lens.width, self.lens.height])
        # Far outside of what a lens sees, its polynomial folds back into the picture.
        off = np.abs(self.lens.rays(spots) - local[:, :2] / local[:, 2:]).max(axis=1)
        there = (local[:, 2] > 0) & (off < FOLDED)
        ids = np.flatnonzero(((spots > 4) & (spots < size - 5)).all(axis=1) & there)
        if len(ids) < 2 * FEWEST or pose[2, 3] < 0.1:
            return None
        return View(ids, spots[ids] + random.normal(0, self.noise.corner, (len(ids), 2)))

    def shown(self, random: np.random.Generator) -> list[View]:
        """A person's views of the board for the lens, who does what the coverage asks for."""
        coverage = Coverage(self.board, (self.lens.width, self.lens.height))
        views: list[View] = []
        for _ in range(DRAWS):
            view = self.view(self.waved(random), random)
            if view is not None and coverage.helps(view):
                coverage.add(view)
                views.append(view)
            if not coverage.missing or len(views) == MOST_VIEWS:
                break
        return views

    def touched(
        self, tcp: Sequence[Array], random: np.random.Generator
    ) -> tuple[list[Array], list[View]]:
        """What the arm says of its poses, and the views from there."""
        told, views = [], []
        for pose in tcp:
            view = self.view(seen(self.mount, self.camera, pose, self.placed), random)
            if view is not None:
                told.append(nudged(pose, random.normal(0, 1, 6) * self.noise.pose))
                views.append(view)
        return told, views

    def waved(self, random: np.random.Generator) -> Array:
        """The board in the camera's frame, as a person holds it."""
        turn = turned([*random.uniform(-0.7, 0.7, 2), random.normal(0, 0.3)])
        far = random.uniform(0.2, 0.75) * self.lens.focal[0] / 615
        size = np.array([self.lens.width, self.lens.height])
        aside = random.uniform(-0.5, 0.5, 2) * size / self.lens.focal * far
        return centred(self.board, turn, (*aside, far))


def poses(cell: HiddenCell, count: int, seed: int) -> list[Array]:
    """Planned with what is known beforehand, within the arm's reach."""
    arm = load_cell(CELL).arm

    def reachable(pose: Array) -> bool:
        return bool(np.linalg.norm(pose[:3, 3] - arm.shoulder.value) < arm.reach.value)

    return plan(cell.about, reachable, count, seed)


def _six(random: np.random.Generator, metres: float, degrees: float) -> Array:
    turn = random.normal(0, np.radians(degrees), 3)
    return np.concatenate([turn, random.normal(0, metres, 3)])


def _lens(rough: Lens, random: np.random.Generator) -> Lens:
    """As lenses of one make differ, and of a kind that is not known."""
    focal = np.array(rough.focal) * random.normal(1, 0.02) * random.normal(1, 0.001, 2)
    centre = np.array(rough.centre) + random.normal(0, 6, 2)
    model = str(random.choice(["none", "plumb_bob", "plumb_bob", "rational_polynomial"]))
    bent = np.array([random.normal(0, 0.08), random.normal(0, 0.1), *random.normal(0, 5e-4, 2), 0])
    terms: dict[str, tuple[float, ...]] = {
        "none": (),
        "plumb_bob": tuple(bent),
        "rational_polynomial": (0.4 + bent[0], -0.2, *bent[2:4], -0.05, 0.45, -0.15, -0.05),
    }
    straight = Lens(rough.width, rough.height, rough.focal, rough.centre, model, terms[model])
    return straight.with_numbers(np.array([*focal, *centre, *terms[model]]))
