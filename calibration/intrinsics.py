"""A camera's lens from views of the board; which distortion model, the views left out decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

from .board import Board, View
from .cell import Camera
from .lens import Lens
from .pnp import board_pose, reprojection
from .rigid import crosses, moved
from .write import Value, measured

Array = npt.NDArray[np.float64]
MODELS = ("none", "plumb_bob", "equidistant", "rational_polynomial")  # the simplest first
FEWEST = 8
ENOUGH = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-8)
LOST = 2.0  # px: who leaves more unexplained has missed the lens
BAD_VIEW = 3.0  # times the median view's error: a blurred or bent board


@dataclass(frozen=True)
class ModelScore:
    """`held_out` is the root mean square (px) over views the lens was not fitted to; `worse` how
    much larger its square is than the best model's, in standard errors of that difference."""

    model: str
    held_out: float
    worse: float
    note: str = ""


@dataclass(frozen=True)
class IntrinsicsResult:
    lens: Lens
    residual: float  # px, root mean square
    information: Array  # (4 + K, 4 + K) of the lens's numbers; its inverse is their covariance
    scores: tuple[ModelScore, ...]
    left_out: tuple[tuple[int, float], ...]  # views, and their error in px
    views: int

    @property
    def focal_sd(self) -> float:
        """px, one standard deviation: of the less certain axis, as `centre_sd`."""
        return float(self._sd[:2].max())

    @property
    def centre_sd(self) -> float:
        return float(self._sd[2:4].max())

    @property
    def _sd(self) -> Array:
        return np.asarray(np.sqrt(np.diag(np.linalg.inv(self.information))), np.float64)

    def values(self, name: str, camera: Camera) -> Mapping[str, Value]:
        """What `write` puts into the cell file."""
        require_size((self.lens.width, self.lens.height), camera)
        sd = self.focal_sd, self.centre_sd
        return lens_values(name, self.lens, f"charuco, {self.views} views", sd, self.residual)

    def table(self) -> str:
        """Markdown."""
        lines = ["| model | held-out error, px | standard errors above the best |", "|---|---|---|"]
        for one in self.scores:
            told = one.note or f"{one.worse:.1f}"
            chosen = " (taken)" if one.model == self.lens.distortion_model else ""
            lines.append(f"| {one.model}{chosen} | {one.held_out:.3f} | {told} |")
        return "\n".join(lines)


def lens_values(
    name: str,
    lens: Lens,
    how: str,
    sd: tuple[float, float] | None = None,
    pixels: float | None = None,
) -> dict[str, Value]:
    """`sd` of focal length and centre; `pixels` is what the whole lens leaves unexplained."""
    at, (focal, centre) = f"cameras.{name}", sd or (None, None)
    # Of what bends rays, the residual is an angle.
    bend = None if pixels is None else pixels / max(lens.focal)
    return {
        f"{at}.focal": measured(lens.focal, "px", how, focal),
        f"{at}.centre": measured(lens.centre, "px", how, centre),
        f"{at}.distortion_model": lens.distortion_model,
        f"{at}.distortion": measured(lens.distortion, "1", how, bend),
    }


def require_size(size: tuple[int, int], camera: Camera) -> None:
    if size != (camera.width, camera.height):
        wanted = f"{camera.width}x{camera.height}, the cell file's"
        remedy = "calibrate at the size that is used"
        raise Invalid("size", f"{size[0]}x{size[1]}", wanted, remedy)


def calibrate(
    board: Board,
    views: Sequence[View],
    size: tuple[int, int],
    models: Sequence[str] = MODELS,
    folds: int = 5,
) -> IntrinsicsResult:
    """`size` is the picture's width and height."""
    if len(views) < FEWEST:
        raise Invalid("views", len(views), f"{FEWEST} or more", "show the board more often")
    kept, left_out = _without_bad(board, views, size)
    trials = {model: _held_out(board, kept, size, model, folds) for model in models}
    errors = {model: trial.errors for model, trial in trials.items() if len(trial.errors)}
    if not errors:
        told = "; ".join(trial.note for trial in trials.values())
        raise Invalid("views", told, "views that determine a lens", "tilt the board more")
    best = min(errors, key=lambda model: errors[model].mean())
    scores = tuple(_score(model, trials[model], errors[best]) for model in models)
    # Of two that err alike, the simpler: what the other has more is fitted noise.
    model = next(one.model for one in scores if one.worse <= 1)
    lens = fit(board, kept, size, model)
    residual = float(np.sqrt(np.mean([_view_error(board, lens, view) for view in kept])))
    if residual > LOST:
        found, wanted = f"{residual:.1f} px unexplained by any lens", f"{LOST} px at most"
        raise Invalid("views", found, wanted, "is the board flat, and the one that was measured?")
    known = _information(board, kept, lens)
    return IntrinsicsResult(lens, residual, known, scores, left_out, len(kept))


@dataclass(frozen=True)
class _Trial:
    """Mean square errors (px^2) by view; none where the fit failed."""

    errors: Array
    note: str = ""


def _held_out(
    board: Board, views: Sequence[View], size: tuple[int, int], model: str, folds: int
) -> _Trial:
    errors = np.zeros(len(views))
    for fold in range(folds):
        try:
            train = [view for number, view in enumerate(views) if number % folds != fold]
            lens = fit(board, train, size, model)
        except (cv2.error, Invalid) as error:
            return _Trial(np.zeros(0), f"does not fit: {' '.join(str(error).split())[:80]}")
        for number in range(fold, len(views), folds):
            errors[number] = _view_error(board, lens, views[number])
    return _Trial(errors)


def _score(model: str, trial: _Trial, best: Array) -> ModelScore:
    if not len(trial.errors):
        return ModelScore(model, float("nan"), float("inf"), trial.note)
    more = trial.errors - best
    error = np.std(more, ddof=1) / np.sqrt(len(more))
    worse = float(more.mean() / error) if error > 0 else 0.0
    return ModelScore(model, float(np.sqrt(trial.errors.mean())), worse)


def _without_bad(
    board: Board, views: Sequence[View], size: tuple[int, int]
) -> tuple[list[View], tuple[tuple[int, float], ...]]:
    """Views that a first fit cannot explain are left out, and named."""
    lens = fit(board, views, size, "plumb_bob")
    errors = np.sqrt([_view_error(board, lens, view) for view in views])
    bad = errors > BAD_VIEW * np.median(errors)
    named = tuple((int(number), float(errors[number])) for number in np.flatnonzero(bad))
    return [view for view, out in zip(views, bad, strict=True) if not out], named


def _view_error(board: Board, lens: Lens, view: View) -> float:
    """Mean square distance (px^2) with the board where it fits best."""
    off = reprojection(board, lens, view, board_pose(board, lens, view))
    return float((off**2).sum(axis=1).mean())


def _information(board: Board, views: Sequence[View], lens: Lens) -> Array:
    """Of all corners together, the board's pose in each view being as unknown as the lens."""
    total, squares, count = np.zeros((len(lens.numbers),) * 2), 0.0, 0
    for view in views:
        pose = board_pose(board, lens, view)
        local = moved(pose, board.points[view.ids])
        found, by_point, own = lens.project_with_slopes(local)
        turned = np.concatenate(
            [-crosses(local), np.broadcast_to(np.eye(3), (len(local), 3, 3))], 2
        )
        six, numbers = (by_point @ turned).reshape(-1, 6), own.reshape(-1, len(total))
        shared = numbers.T @ six
        total += numbers.T @ numbers - shared @ np.linalg.solve(six.T @ six, shared.T)
        squares += float(((found - view.corners) ** 2).sum())
        count += found.size - 6
    variance: float = squares / max(count - len(total), 1)
    return total / variance


def fit(board: Board, views: Sequence[View], size: tuple[int, int], model: str) -> Lens:
    """Least squares over all corners of all views."""
    points = [board.points[view.ids].astype(np.float32)[:, None] for view in views]
    pixels = [view.corners.astype(np.float32)[:, None] for view in views]
    if model == "equidistant":
        return _fit_fisheye(points, pixels, size)
    flags = {
        "none": cv2.CALIB_ZERO_TANGENT_DIST
        | cv2.CALIB_FIX_K1 | cv2.CALIB_FIX_K2 | cv2.CALIB_FIX_K3,
        "plumb_bob": 0,
        "rational_polynomial": cv2.CALIB_RATIONAL_MODEL,
    }[model]  # fmt: skip
    _, matrix, terms, _, _ = cv2.calibrateCamera(
        points, pixels, size, np.eye(3), np.zeros(14), flags=flags, criteria=ENOUGH
    )
    count = {"none": 0, "plumb_bob": 5, "rational_polynomial": 8}[model]
    return _lens(size, matrix, model, np.ravel(terms)[:count])


def _fit_fisheye(points: list[Any], pixels: list[Any], size: tuple[int, int]) -> Lens:
    guess = np.array([[0.8 * size[0], 0, size[0] / 2], [0, 0.8 * size[0], size[1] / 2], [0, 0, 1]])
    flags = (
        cv2.fisheye.CALIB_RECOMPUTE_EXTRINSIC
        | cv2.fisheye.CALIB_FIX_SKEW
        | cv2.fisheye.CALIB_USE_INTRINSIC_GUESS
    )
    _, matrix, terms, _, _ = cv2.fisheye.calibrate(
        [np.asarray(one, np.float64) for one in points],
        [np.asarray(one, np.float64) for one in pixels],
        size, guess, np.zeros(4), flags=flags, criteria=ENOUGH,
    )  # fmt: skip
    return _lens(size, matrix, "equidistant", np.ravel(terms))


def _lens(size: tuple[int, int], matrix: Any, model: str, terms: Any) -> Lens:
    focal, centre = (
        (float(matrix[0, 0]), float(matrix[1, 1])),
        (float(matrix[0, 2]), float(matrix[1, 2])),
    )
    return Lens(*size, focal, centre, model, tuple(float(one) for one in terms))
