"""Where a camera is, from poses of the arm and views of a board: five solvers of OpenCV's to begin
with, and one joint refinement; poses that do not fit the others are named and left out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

from .axes import FEWEST, require_axes
from .chain import Mount, link, seen
from .intrinsics import lens_values
from .lens import Lens
from .pnp import board_pose
from .refine import Refined, Task, refine, view_errors
from .rigid import apart, inverse, quaternion, rigid
from .write import Value, measured

Array = npt.NDArray[np.float64]
SOLVERS = {
    "Tsai": cv2.CALIB_HAND_EYE_TSAI,
    "Park": cv2.CALIB_HAND_EYE_PARK,
    "Horaud": cv2.CALIB_HAND_EYE_HORAUD,
    "Andreff": cv2.CALIB_HAND_EYE_ANDREFF,
    "Daniilidis": cv2.CALIB_HAND_EYE_DANIILIDIS,
}
JOINT = "joint refinement"
SUBSETS = 12  # of poses, drawn to begin from: a bad pose is not in all of them
OUTLIER = 3.5  # times the median view's error
WORST = 4.0  # px at the median pose: no noise does that
DISAGREE = "is the board fixed, and are the arm's poses those of the pictures?"
FOLDS = 5


@dataclass(frozen=True)
class SolverScore:
    """How well it explains the corners, and how far it is from the joint refinement."""

    solver: str
    error: float  # px, root mean square
    place: float  # m
    turn: float  # rad


@dataclass(frozen=True)
class Outlier:
    """A pose, and how far the board was from where the other poses have it."""

    pose: int
    error: float  # px
    place: float  # m
    turn: float  # rad

    def __str__(self) -> str:
        return (
            f"pose {self.pose}: {self.error:.1f} px, {1000 * self.place:.1f} mm and "
            f"{math.degrees(self.turn):.2f} deg off"
        )


@dataclass(frozen=True)
class HeldOut:
    """Errors of poses that were left out of the fit: of corners, and of the board in the camera's
    frame against where this one view has it."""

    corners: float  # px, root mean square
    place: float  # m, median
    turn: float  # rad, median


@dataclass(frozen=True)
class HandEyeResult:
    mount: Mount
    found: Refined
    scores: tuple[SolverScore, ...]
    outliers: tuple[Outlier, ...]
    held_out: HeldOut
    poses: int

    @property
    def camera(self) -> Array:
        """(4, 4) in the base frame, or at the wrist in the TCP's."""
        return self.found.camera

    def values(self, name: str) -> Mapping[str, Value]:
        """What `write` puts into the cell file: a lens that was improved belongs to the pose."""
        how, at = f"hand-eye, {self.poses} poses", f"cameras.{name}"
        (place_sd, turn_sd), lens = self.found.camera_sd, self.found.lens
        values: dict[str, Value] = {
            f"{at}.pose.position": measured(self.camera[:3, 3], "m", how, place_sd),
            f"{at}.pose.orientation": measured(quaternion(self.camera), "1", how, turn_sd),
        }
        if len(sd := self.found.lens_sd):
            how = f"charuco and {how}"
            values |= lens_values(
                name, lens, how, (float(max(sd[:2])), float(max(sd[2:4]))), self.held_out.corners
            )
        return values

    def table(self) -> str:
        """Markdown."""
        lines = ["| solver | error, px | from the joint one, mm | deg |", "|---|---|---|---|"]
        lines += [
            f"| {one.solver} | {one.error:.2f} | {1000 * one.place:.2f} "
            f"| {math.degrees(one.turn):.3f} |"
            for one in self.scores
        ]
        return "\n".join(lines)


def calibrate(task: Task) -> HandEyeResult:
    require_axes(task.tcp)
    boards = [board_pose(task.board, task.lens, view) for view in task.views]
    kept, found = _without_outliers(task, boards)
    out = sorted(set(range(len(boards))) - set(kept))
    errors = view_errors(task, found.camera, found.board, found.lens)
    outliers = tuple(
        Outlier(n, float(errors[n]), *apart(_expected(task, found, n), boards[n])) for n in out
    )
    inner = task.of(kept)
    require_axes(inner.tcp)
    own = [boards[n] for n in kept]
    scores = [_score(JOINT, inner, found.camera, found.board, found.lens, found)]
    for name, camera in plain(inner, own).items():
        scores.append(_score(name, inner, camera, _middle(inner, own, camera), inner.lens, found))
    return HandEyeResult(
        task.mount, found, tuple(scores), outliers, _held_out(inner, own, found), len(kept)
    )


def plain(task: Task, boards: Sequence[Array]) -> dict[str, Array]:
    """The camera (4, 4) by each of OpenCV's solvers that finds one; `boards` are in its frame."""
    hands = [inverse(link(task.mount, tcp)) for tcp in task.tcp]
    found = {}
    for name, method in SOLVERS.items():
        try:
            turn, shift = cv2.calibrateHandEye(
                [hand[:3, :3] for hand in hands], [hand[:3, 3] for hand in hands],
                [board[:3, :3] for board in boards], [board[:3, 3] for board in boards],
                method=method,
            )  # fmt: skip
        except cv2.error:
            continue
        # Some answer with a reflection, or with nothing at all, where the poses are poor.
        if np.isfinite(shift).all() and np.linalg.det(turn) > 0.9:
            found[name] = rigid(turn, shift)
    return found


def _without_outliers(task: Task, boards: Sequence[Array]) -> tuple[list[int], Refined]:
    """The poses that agree, and what they say."""
    camera = _start(task, boards)
    board = _middle(task, boards, camera)
    kept = list(range(len(boards)))
    while True:
        found = refine(task.of(kept), camera, board)
        errors = view_errors(task, found.camera, found.board, found.lens)
        fine = errors <= OUTLIER * np.median(errors[kept])
        agreed = [n for n in range(len(boards)) if fine[n]]
        if set(agreed) >= set(kept):
            if (typical := float(np.median(errors[kept]))) > WORST:
                found_, wanted = f"{typical:.1f} px at the median pose", f"{WORST:g} px at most"
                raise Invalid("poses", found_, wanted, DISAGREE)
            return kept, found
        kept = [n for n in kept if fine[n]]
        if len(kept) < FEWEST:
            named = "; ".join(f"{n}: {errors[n]:.1f} px" for n in np.flatnonzero(~fine))
            wanted = f"{FEWEST} or more that agree (off: {named})"
            raise Invalid("poses", f"{len(kept)} that agree", wanted, DISAGREE)
        camera, board = found.camera, found.board


def _start(task: Task, boards: Sequence[Array]) -> Array:
    """The solution under which the median pose errs least, among those of all poses and those of a
    few drawn subsets."""
    random, everything = np.random.default_rng(0), list(range(len(boards)))
    subsets = [sorted(random.permutation(everything)[:FEWEST]) for _ in range(SUBSETS)]
    candidates: list[Array] = []
    for numbers in [everything, *subsets]:
        chosen, own = task.of(numbers), [boards[n] for n in numbers]
        candidates += plain(chosen, own).values()
    if not candidates:
        remedy = "record other poses, turned more, about more than one axis"
        raise Invalid("poses", "no solver finds a camera", "a solution to begin from", remedy)

    def error(camera: Array) -> float:
        return float(np.median(view_errors(task, camera, _middle(task, boards, camera), task.lens)))

    return min(candidates, key=error)


def _middle(task: Task, boards: Sequence[Array], camera: Array) -> Array:
    """The board as most poses have it under this camera: the one of them nearest to all others."""
    said = [
        inverse(link(task.mount, tcp)) @ camera @ board
        for tcp, board in zip(task.tcp, boards, strict=True)
    ]
    size = max(task.board.size)  # makes an angle a length

    def distance(one: Array) -> float:
        return sum(place + size * turn for place, turn in (apart(one, other) for other in said))

    return min(said, key=distance)


def _score(
    solver: str, task: Task, camera: Array, board: Array, lens: Lens, found: Refined
) -> SolverScore:
    error = float(np.sqrt(np.mean(view_errors(task, camera, board, lens) ** 2)))
    return SolverScore(solver, error, *apart(camera, found.camera))


def _expected(task: Task, found: Refined, number: int) -> Array:
    return seen(task.mount, found.camera, task.tcp[number], found.board)


def _held_out(task: Task, boards: Sequence[Array], found: Refined) -> HeldOut:
    count = len(boards)
    errors, places, turns = np.zeros(count), np.zeros(count), np.zeros(count)
    for fold in range(FOLDS):
        train = [n for n in range(count) if n % FOLDS != fold]
        part = refine(task.of(train), found.camera, found.board)
        for n in range(fold, count, FOLDS):
            [errors[n]] = view_errors(task.of([n]), part.camera, part.board, part.lens)
            places[n], turns[n] = apart(_expected(task, part, n), boards[n])
    corners = float(np.sqrt(np.mean(errors**2)))
    return HeldOut(corners, float(np.median(places)), float(np.median(turns)))
