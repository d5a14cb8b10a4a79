"""Where the hand's depth camera sits, by what it saw of the bin while the robot worked.

An episode begins with the arm at rest above the bin, so its first frame and pose belong together
however late pictures are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from policy.contract import Invalid
from policy.contract.depth import depth_metres
from policy.experience.log import open_index, read_episode

from .cell import DEPTH, Cell
from .geometry import hand
from .registration import Registration
from .rim_depth import register_depth

SURE = 0.001  # m, of where it is: a moving arm spoils more than noise does
FEWEST, MOST = 10, 30  # episodes, the latest; of more, the camera is known no better than the bin


def camera_by_log(cell: Cell, name: str, log: Path) -> Registration | None:
    """Of the camera `name`, by the depth that the log's latest episodes have of it; None where
    they are too few yet to be sure."""
    camera, image = cell.cameras[name], f"{name}{DEPTH}"
    if camera.depth is None:
        wanted = "a camera that measures distance"
        raise Invalid(f"cameras.{name}.depth", None, wanted, "name another, or say its span")
    frames, poses = [], []
    with open_index(log) as index:
        latest = sorted(index, key=lambda entry: entry.episode_id)[-MOST:]
    if len(latest) < FEWEST:
        return None
    for entry in latest:
        episode = read_episode(entry.path)
        if image not in episode.images:
            seen, wanted = sorted(episode.images), f"{image} among the images"
            raise Invalid(f"{entry.path}: images", seen, wanted, "record it, or name another log")
        names = [one.name for one in episode.info.interface.observation.proprio]
        told = dict(zip(names, episode.proprio[0].tolist(), strict=True))
        height = told["tcp_height"] + cell.bin.centre.value[2]
        frames.append(depth_metres(episode.images[image][0], camera.depth.span.value))
        poses.append(hand((told["tcp_x"], told["tcp_y"], height), told["tcp_yaw"]))
    found = register_depth(frames, poses, camera, cell.bin)
    sigma = float(np.sqrt(np.diag(found.covariance)[:3].max()))
    if sigma <= SURE:
        return found
    if len(latest) < MOST:
        return None
    wanted = f"{1e3 * SURE:g} mm or less of a standard deviation"
    remedy = "let the arm stand still when an episode begins"
    raise Invalid(f"cameras.{name}", f"{1e3 * sigma:.1f} mm", wanted, remedy)
