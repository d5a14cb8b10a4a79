"""From the board through the arm into the picture, and how pixels move with each link.

A camera at the wrist (`wrist`) is given in the TCP's frame and looks at a board that stands in the
base's; a camera that stands (`world`) is given in the base's and looks at a board in the hand, in
the TCP's. So both are one chain: board -> base or TCP -> TCP or base -> camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .lens import Lens
from .rigid import crosses, inverse, moved, rigid

Array = npt.NDArray[np.float64]
Mount = Literal["world", "wrist"]
CAMERA, BOARD, TCP = slice(0, 6), slice(6, 12), slice(12, 18)  # of the slopes' columns


@dataclass(frozen=True)
class Noise:
    """Standard deviations: of a corner (px), and of the pose the arm reports, along and about each
    axis (m, rad). Only their proportion matters to the result."""

    corner: float = 0.25
    place: float = 1e-4
    turn: float = 3.5e-4

    @property
    def pose(self) -> Array:
        return np.array([self.turn] * 3 + [self.place] * 3)


def link(mount: Mount, tcp: Array) -> Array:
    """The arm's part of the chain."""
    return inverse(tcp) if mount == "wrist" else tcp


def seen(mount: Mount, camera: Array, tcp: Array, board: Array) -> Array:
    """The board in the camera's frame."""
    return inverse(camera) @ link(mount, tcp) @ board


def pixels(
    lens: Lens, mount: Mount, camera: Array, tcp: Array, board: Array, points: Array
) -> tuple[Array, Array]:
    """Of the board's points (N, 3): pixels (N, 2), and how they move (N, 2, 18 + K) when first
    camera, then board, then TCP is turned about and shifted along its own axes, and then with the
    lens's numbers."""
    arm, out = link(mount, tcp), inverse(camera)
    inner = moved(board, points)
    outer = moved(arm, inner)
    local = moved(out, outer)
    found, slopes, of_lens = lens.project_with_slopes(local)
    one = np.broadcast_to(np.eye(3), (len(points), 3, 3))
    to_camera = out[:3, :3]
    # Pose @ exp(turn, shift): a frame that moves leaves behind what it looks at.
    of_camera = np.concatenate([crosses(local), -one], axis=2)
    through = to_camera @ arm[:3, :3]
    of_board = through @ board[:3, :3] @ np.concatenate([-crosses(points), one], axis=2)
    if mount == "wrist":
        of_tcp = to_camera @ np.concatenate([crosses(outer), -one], axis=2)
    else:
        of_tcp = through @ np.concatenate([-crosses(inner), one], axis=2)
    poses = slopes @ np.concatenate([of_camera, of_board, of_tcp], axis=2)
    return found, np.concatenate([poses, of_lens], axis=2)


def information(slopes: Array, noise: Noise) -> Array:
    """What one view tells of camera, board and lens (12 + K, 12 + K), the TCP being known to its
    noise only. `slopes` are those of `pixels`."""
    scaled = slopes.reshape(-1, slopes.shape[-1]) / noise.corner
    told, own = np.delete(scaled, TCP, axis=1), scaled[:, TCP]
    shared = told.T @ own
    known: Array = told.T @ told - shared @ np.linalg.solve(
        own.T @ own + np.diag(noise.pose**-2), shared.T
    )
    return known


def nudged(pose: Array, six: Array) -> Array:
    """Turned and shifted along its own axes."""
    moved_: Array = pose @ rigid(six[:3], six[3:])
    return moved_
