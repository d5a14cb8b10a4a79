"""Which poses to take pictures from: of many drawn ones that can be taken, those that together tell
most of where camera and board are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

from .board import Board
from .chain import Mount, Noise, information, link, pixels, seen
from .geometry import down
from .lens import Lens
from .rigid import apart, moved, rigid, turned

Array = npt.NDArray[np.float64]
DRAWN = 4000
ENOUGH = 300  # to choose from
MARGIN = 0.02  # of the picture's sides
STEEP = np.cos(np.radians(55))  # markers are not read at a flatter angle
READABLE = 1.7  # px a marker's bit, across where it is narrowest


@dataclass(frozen=True)
class Plan:
    """What is known roughly before calibrating: camera and board as in `chain`, each within some
    centimetres and degrees; and where the TCP may be (m, base frame)."""

    board: Board
    lens: Lens
    mount: Mount
    camera: Array
    placed: Array  # the board
    low: Array
    high: Array
    yaw: tuple[float, float] = (-np.pi / 2, np.pi / 2)
    tilt: float = np.radians(35)  # of the tool from straight down, at most
    floor: float = 0.0  # m; a board in the hand stays above it
    noise: Noise = field(default_factory=Noise)


def centred(board: Board, turn: Array, centre: Sequence[float]) -> Array:
    """A board turned so, its middle there."""
    return rigid(turn, np.asarray(centre) - turn @ (*np.array(board.size) / 2, 0.0))


def flat(board: Board, centre: Sequence[float], yaw: float = 0.0) -> Array:
    """A board that lies face up, in the base frame: its right along `yaw`."""
    return centred(board, down(yaw), centre)


def held(board: Board) -> Array:
    """A board gripped in the middle of its upper edge, in the TCP frame: it hangs along the tool
    and faces along the tool's y."""
    turn = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    return rigid(turn, -turn @ (board.size[0] / 2, 0.0, 0.0))


def plan(
    what: Plan, reachable: Callable[[Array], bool], count: int = 15, seed: int = 0
) -> list[Array]:
    """TCP poses (4, 4) in an order that makes the way short."""
    poses = _possible(what, reachable, count, np.random.default_rng(seed))
    told = [_information(what, pose) for pose in poses]
    # A little is known beforehand, so that the first choices are comparable.
    known = np.diag(np.concatenate([[0.1] * 3, [0.05] * 3] * 2) ** -2)
    chosen: list[int] = []
    for _ in range(count):
        rest = [n for n in range(len(poses)) if n not in chosen]
        gains = np.linalg.slogdet(known + np.array([told[n] for n in rest]))[1]
        chosen.append(rest[int(gains.argmax())])
        known = known + told[chosen[-1]]
    return _short_way([poses[n] for n in chosen])


def _possible(
    what: Plan, reachable: Callable[[Array], bool], count: int, random: np.random.Generator
) -> list[Array]:
    refused: Counter[str] = Counter()
    found: list[Array] = []
    for _ in range(DRAWN):
        pose = _drawn(what, random)
        why = _unseen(what, pose) or ("" if reachable(pose) else "out of the arm's reach")
        if why:
            refused[why] += 1
            continue
        found.append(pose)
        if len(found) == ENOUGH:
            break
    if len(found) < count:
        told = ", ".join(f"{number} {why}" for why, number in refused.most_common())
        wanted = f"{count} that can be taken (refused: {told})"
        remedy = "move the board to the middle of the picture, or widen the box"
        raise Invalid("poses", f"{len(found)} of {DRAWN} drawn", wanted, remedy)
    return found


def _drawn(what: Plan, random: np.random.Generator) -> Array:
    place = random.uniform(what.low, what.high)
    about = random.uniform(0, 2 * np.pi)
    tilt = what.tilt * np.sqrt(random.random())  # even over directions
    lean = turned([tilt * np.cos(about), tilt * np.sin(about), 0.0])
    return rigid(lean @ down(random.uniform(*what.yaw)), place)


def _unseen(what: Plan, tcp: Array) -> str:
    """Why no good picture can be taken from there."""
    there = seen(what.mount, what.camera, tcp, what.placed)
    outline = moved(there, what.board.outline)
    if outline[:, 2].min() < 0.05:
        return "behind the camera"
    middle = outline.mean(axis=0)
    if there[:3, 2] @ middle < STEEP * np.linalg.norm(middle):
        return "seen too flat, or from behind"
    size = np.array([what.lens.width, what.lens.height])
    corners = what.lens.project(outline)
    if (corners < MARGIN * size).any() or (corners > (1 - MARGIN) * size).any():
        return "out of the picture"
    _, slopes, _ = what.lens.project_with_slopes(middle[None])
    narrow = np.linalg.svd(slopes[0] @ there[:3, :2], compute_uv=False)[-1]
    if narrow * what.board.bit < READABLE:
        return "too small to be read"
    if what.mount == "world" and _lowest(what, tcp) < what.floor:
        return "with the board in the floor"
    return ""


def _lowest(what: Plan, tcp: Array) -> float:
    return float(moved(link("world", tcp) @ what.placed, what.board.outline)[:, 2].min())


def _information(what: Plan, tcp: Array) -> Array:
    points = what.board.points
    _, slopes = pixels(what.lens, what.mount, what.camera, tcp, what.placed, points)
    return information(slopes[..., :18], what.noise)  # the lens as it is known


def _short_way(poses: list[Array]) -> list[Array]:
    """From each to the nearest that is left; a turn of a radian counts as half a metre."""
    way, rest = [poses[0]], poses[1:]
    while rest:
        steps = [place + 0.5 * turn for place, turn in (apart(way[-1], pose) for pose in rest)]
        way.append(rest.pop(int(np.argmin(steps))))
    return way
