"""How far a camera is from where its cell file has it; the robust least squares that finds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

from .cell import Camera, Pose
from .geometry import rotation
from .measured import Measured
from .rigid import Displacement, quaternion, turn_of, turned
from .write import measured

Array = npt.NDArray[np.float64]
# How far a mounted camera may be off before anything was seen, as standard deviations of shift (m)
# and turn (rad): wide enough to be outvoted by one frame; what the bin does not show stays as the
# cell file has it.
SHIFT, TURN, ZOOM = 0.03, 0.06, 0.03
TRUST = 3.0  # residuals of a focal length that was measured
STEPS = 8  # at each width of the robust loss
FEWEST = 200  # points that must lie on the bin, in all frames together


@dataclass(frozen=True)
class Registration(Displacement):
    """`shift` is in the frame that the camera is mounted in (the TCP's, or the base), `turn` in the
    camera's own optical frame. The covariance is of (shift, turn)."""

    zoom: float  # factor on the focal length
    scale: float  # factor on measured distances; 1 for a picture
    covariance: Array  # (6, 6)
    residual: float  # of what lay on the bin: m of a depth, px of a picture
    points: int  # that did

    def pose(self, camera: Camera) -> tuple[Array, Array]:
        """Where the camera is: position and rotation matrix in the frame that it is mounted in."""
        nominal = camera.pose
        turn: Array = rotation(nominal.orientation.value) @ turned(self.turn)
        return np.array(nominal.position.value) + self.shift, turn

    def values(self, camera: Camera) -> dict[str, Measured[Any]]:
        """What the cell file then says of the camera, by the key there."""
        place, turn = self.pose(camera)
        how, sigma = "laid onto the bin", np.sqrt(np.diag(self.covariance))
        focal = self.zoom * np.array(camera.focal.value)
        return {
            "pose.position": measured(place, "m", how, float(sigma[:3].max())),
            "pose.orientation": measured(quaternion(turn), "1", how, float(sigma[3:].max()) / 2),
            "focal": measured(focal, "px", how, camera.focal.residual or 0.0),
        }

    def camera(self, camera: Camera) -> Camera:
        """As the cell file has it, but where and with the lens that was found."""
        values = self.values(camera)
        pose = Pose(values["pose.position"], values["pose.orientation"])
        return replace(camera, pose=pose, focal=values["focal"])


def prior(camera: Camera, other: float) -> Array:
    """Standard deviations of shift, turn, logarithm of the focal length, and one more."""
    focal = camera.focal
    zoom = ZOOM if focal.residual is None else TRUST * focal.residual / min(focal.value)
    return np.array([SHIFT] * 3 + [TURN] * 3 + [max(zoom, 1e-6), other])


@dataclass(frozen=True)
class Equations:
    """What one part says at the present estimate: residuals in standard deviations, a row of the
    Jacobian each."""

    residuals: Array
    jacobian: Array


# From (shift, turn, log zoom, one more) and the width of the loss (m, px) to the equations of
# each part: a frame, an edge.
Linearise = Callable[[Array, float], Sequence[Equations]]


def solve(
    linearise: Linearise, widths: Sequence[float], prior: Array, start: Array | None = None
) -> tuple[Array, Array]:
    """The estimate and its covariance. The loss (Geman and McClure's) narrows from one width to the
    next: wide, it finds its way; narrow, it does not hear what lies in the bin. Parts, not points,
    count as independent."""
    found = np.zeros(len(prior)) if start is None else start
    for width in widths:
        for _ in range(STEPS):
            normal, gradients = _normal(linearise, found, width, prior)
            step = -np.linalg.solve(normal, gradients.sum(axis=0))
            found = _moved(found, step)
            if np.abs(step / prior).max() < 1e-3:
                break
    normal, gradients = _normal(linearise, found, widths[-1], prior)
    inverse: Array = np.asarray(np.linalg.inv(normal), np.float64)
    spread = gradients[:-1].T @ gradients[:-1]  # the last is the prior's
    covariance: Array = inverse + np.asarray(inverse @ spread @ inverse, np.float64)
    return found, covariance


def _normal(linearise: Linearise, found: Array, width: float, prior: Array) -> tuple[Array, Array]:
    normal, gradients = np.diag(prior**-2.0), []
    for part in linearise(found, width):
        normal += part.jacobian.T @ part.jacobian
        gradients.append(part.jacobian.T @ part.residuals)
    return normal, np.array([*gradients, found / prior**2])


def _moved(found: Array, step: Array) -> Array:
    """Turns are composed, all else is added."""
    moved = found + step
    moved[3:6] = turn_of(turned(found[3:6]) @ turned(step[3:6]))
    return moved


def enough(points: int, what: str, fewest: int = FEWEST) -> None:
    if points < fewest:
        wanted = f"{fewest} or more on the bin"
        remedy = "look at the bin, and start within 3 cm and 3 degrees of the cell file"
        raise Invalid(what, f"{points} points", wanted, remedy)
