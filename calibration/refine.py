"""Hand-eye by least squares over every corner of every view: where camera and board are, and how
far each pose the arm told was off, which its known noise holds near zero. The lens may be improved
along with them: the arm's way is measured in metres, and a focal length is told from a distance by
it better than by a board's shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from .board import Board, View
from .chain import TCP, Mount, Noise, information, nudged, pixels, seen
from .lens import Lens
from .pnp import reprojection

Array = npt.NDArray[np.float64]
ROBUST = 2.0  # standard deviations: farther off counts by its size, not by its square
ROUNDS = 3  # the slopes hold near the pose they were taken at: begin anew from where it ended


@dataclass(frozen=True)
class Task:
    """What was recorded: one TCP pose (4, 4) and one view each."""

    board: Board
    lens: Lens
    mount: Mount
    tcp: Sequence[Array]
    views: Sequence[View]
    noise: Noise = field(default_factory=Noise)
    # What is known of the lens's numbers (IntrinsicsResult.information); None: it is as given.
    lens_known: Array | None = None

    @property
    def unknown(self) -> int:
        """Numbers beside the TCPs' corrections."""
        return 12 if self.lens_known is None else 12 + len(self.lens_known)

    def of(self, numbers: Sequence[int]) -> Task:
        """Some of it."""
        tcp, views = [self.tcp[n] for n in numbers], [self.views[n] for n in numbers]
        return replace(self, tcp=tcp, views=views)


@dataclass(frozen=True)
class Refined:
    camera: Array
    board: Array
    lens: Lens
    covariance: Array  # of turn and shift of the camera, then of the board, then of the lens

    @property
    def camera_sd(self) -> tuple[float, float]:
        """Of its place (m) and its turn (rad), the length of all three axes' deviations."""
        variance = np.diag(self.covariance)
        return float(np.sqrt(variance[3:6].sum())), float(np.sqrt(variance[:3].sum()))

    @property
    def lens_sd(self) -> Array:
        """Of the lens's numbers; empty where they were taken as given."""
        return np.asarray(np.sqrt(np.diag(self.covariance)[12:]), np.float64)


def refine(task: Task, camera: Array, board: Array) -> Refined:
    """From poses that are roughly right."""
    lens, poses = np.zeros(task.unknown - 12), np.zeros(6 * len(task.views))
    for _ in range(ROUNDS):
        start = np.concatenate([np.zeros(12), lens, poses])
        problem = _Problem(task, camera, board)
        found = least_squares(
            problem.residuals, start, problem.jacobian, method="trf", x_scale="jac",
            loss="soft_l1", f_scale=ROBUST, max_nfev=30,
        )  # fmt: skip
        camera, board = nudged(camera, found.x[:6]), nudged(board, found.x[6:12])
        lens, poses = found.x[12 : task.unknown], found.x[task.unknown :]
    # The corners' noise as it turned out; of the median, since it does not mind outliers.
    scale = float(np.median(np.abs(found.fun[: problem.corners])) / 0.6745)
    better = _bent(task, lens)
    covariance = np.linalg.inv(_information(task, camera, board, better, scale))
    return Refined(camera, board, better, np.asarray(covariance, np.float64))


def view_errors(task: Task, camera: Array, board: Array, lens: Lens) -> Array:
    """Root mean square (px) of each view, the arm being where it said."""
    found = []
    for tcp, view in zip(task.tcp, task.views, strict=True):
        there = seen(task.mount, camera, tcp, board)
        off = reprojection(task.board, lens, view, there)
        found.append(float(np.sqrt((off**2).sum(axis=1).mean())) if there[2, 3] > 0 else np.inf)
    return np.array(found)


def _bent(task: Task, change: Array) -> Lens:
    return task.lens.with_numbers(task.lens.numbers + change) if len(change) else task.lens


def _information(task: Task, camera: Array, board: Array, lens: Lens, scale: float) -> Array:
    total = np.zeros((task.unknown, task.unknown))
    for tcp, view in zip(task.tcp, task.views, strict=True):
        points = task.board.points[view.ids]
        _, slopes = pixels(lens, task.mount, camera, tcp, board, points)
        total += information(slopes[..., : 6 + task.unknown], task.noise) / scale**2
    if task.lens_known is not None:
        total[12:, 12:] += task.lens_known
    return total


class _Problem:
    """Unknowns: turn and shift of the camera, and of the board; the lens's numbers, unless they
    are as given; turn and shift of each TCP. All are changes."""

    def __init__(self, task: Task, camera: Array, board: Array) -> None:
        self._task, self._camera, self._board = task, camera, board
        self.corners = 2 * sum(len(view.ids) for view in task.views)
        known = np.zeros((0, 0)) if task.lens_known is None else task.lens_known
        strength, axes = np.linalg.eigh(known)
        self._lens_known = np.sqrt(np.maximum(strength, 0))[:, None] * axes.T
        self._last: tuple[Array, Array, Array] | None = None  # unknowns, residuals, slopes

    def residuals(self, x: Array) -> Array:
        return self._both(x)[0]

    def jacobian(self, x: Array) -> Array:
        return self._both(x)[1]

    def _both(self, x: Array) -> tuple[Array, Array]:
        """What SciPy asks for one after the other is one computation."""
        if self._last is not None and np.array_equal(self._last[0], x):
            return self._last[1:]
        task, noise, first = self._task, self._task.noise, self._task.unknown
        camera, board = nudged(self._camera, x[:6]), nudged(self._board, x[6:12])
        lens = _bent(task, x[12:first])
        off, slopes = np.zeros(self.corners + len(x) - 12), np.zeros((self.corners, len(x)))
        at = 0
        for number, (tcp, view) in enumerate(zip(task.tcp, task.views, strict=True)):
            own = slice(first + 6 * number, first + 6 * number + 6)
            points = task.board.points[view.ids]
            told = nudged(tcp, x[own])
            found, moves = pixels(lens, task.mount, camera, told, board, points)
            here = slice(at, at + 2 * len(points))
            off[here] = (found - view.corners).ravel() / noise.corner
            moves = moves.reshape(2 * len(points), -1) / noise.corner
            slopes[here, :12], slopes[here, own] = moves[:, :12], moves[:, TCP]
            slopes[here, 12:first] = moves[:, 18 : 6 + first]
            at = here.stop
        # What is known beforehand: of the lens from its own calibration, of each TCP by its noise.
        sure = np.zeros((len(x) - 12, len(x)))
        sure[: first - 12, 12:first] = self._lens_known
        rest = np.arange(first, len(x))
        sure[rest - 12, rest] = np.tile(1 / noise.pose, len(task.views))
        off[at:] = sure @ x
        self._last = (x.copy(), off, np.concatenate([slopes, sure]))
        return self._last[1:]
