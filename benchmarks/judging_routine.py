"""What the cell does with each grasp, on the twin in lockstep: attempt, lift, retract, picture,
drop, retract, picture. Pictures are taken in each light, and kept, so that they are drawn once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from calibration.geometry import down
from sim.bin import inside
from sim.config import SceneConfig
from sim.grasps import plan
from sim.objects import quaternion
from sim.twin import Faults, Twin, TwinConfig
from sim.twin.feed import FeedConfig
from sim.world import World

Array = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]
CAMERA = "front"
ROOMS = (None, "factory", "kitchen", "lab_night")
LIGHTS = {
    "as is": Faults(),
    "exposure drift": Faults(exposure_drift=0.03),
    "moving shadow": Faults(moving_shadow=0.7),
    "both": Faults(exposure_drift=0.03, moving_shadow=0.7),
}
SLOPPY = 0.65  # how often an attempt is
STRAY = 0.025  # m, standard deviation of a sloppy one
NOWHERE = 0.15  # how often it goes anywhere at all
DROP = 0.16  # m above the floor: over whatever lies there, near enough not to throw it
SETTLE_S = 1.5  # before each picture
TRIES = 8
ELBOW = 0.02  # rad
IN_HAND = 0.13  # m from the TCP to the middle of what it holds
CLEAR = 0.06  # m above the rim: nothing lies so high
IN_THE_AIR = 0.2  # m


@dataclass(frozen=True)
class Cycle:
    """`held` at the lift; `kept` until the first picture was taken; `returned` to the bin after."""

    seed: int
    room: str | None
    families: list[str]  # of what was lifted
    held: bool
    kept: bool
    returned: bool

    @property
    def success(self) -> bool:
        return self.returned


def carried(twin: Twin) -> set[int]:
    """What hangs in the hand, by pads or otherwise: near it, and high above the bin."""
    truth, box = twin.truth(), twin.cell.bin
    places = truth.object_positions
    near = np.linalg.norm(places - truth.tcp_position, axis=1) < IN_HAND
    high = places[:, 2] > box.centre.value[2] + box.wall_height.value + CLEAR
    return set(np.flatnonzero(near & high).tolist())


def returned(twin: Twin, things: set[int]) -> bool:
    """Whether any of them lies in the bin."""
    back = np.flatnonzero(inside(twin.cell.bin, twin.truth().object_positions))
    return bool(things & set(back.tolist()))


class Routine:
    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        space, box = twin.cell.workspace, twin.cell.bin
        low, high = np.array(space.low.value), np.array(space.high.value)
        self._low, self._high = low, high
        # Where the arm hides nothing of the bin from the camera over its right shoulder.
        self._aside = np.array([low[0], high[1], high[2]])
        x, y, floor = box.centre.value
        self._over, self._drop = np.array([x, y, high[2]]), np.array([x, y, floor + DROP])
        self._model = World(twin.cell, SceneConfig(shadows=0, distractors=0))
        for _ in range(TRIES):
            self._go(self._over)
            self._go(self._aside)
        self._posture = self._joints()

    def cycle(self, seed: int, room: str | None, folder: Path) -> Cycle:
        twin, random = self.twin, np.random.default_rng([seed, 11])
        twin.inject(Faults())
        twin.reset(seed, room)
        self._attempt(random)
        lifted = carried(self.twin)
        self._retract()
        self._picture(folder, "before")
        kept = carried(self.twin)
        self._put_down()
        self._picture(folder, "after")
        truth = twin.truth()
        families = [truth.parameters.things[thing].family for thing in sorted(lifted)]
        return Cycle(seed, room, families, bool(lifted), bool(kept), returned(twin, kept))

    def empty(self, seed: int, room: str | None, folder: Path) -> Cycle:
        """The same in the air above the bin: what it changes is what is no object."""
        twin, random = self.twin, np.random.default_rng([seed, 12])
        twin.inject(Faults())
        twin.reset(seed, room)
        twin.gripper.command(0.0)
        spot = random.uniform(self._low, self._high)[:2]
        self._go(
            np.array([*spot, IN_THE_AIR]), float(random.uniform(*twin.cell.workspace.yaw.value))
        )
        self._retract()
        self._picture(folder, "before")
        self._put_down()
        self._picture(folder, "after")
        return Cycle(seed, room, [], False, False, False)

    def _attempt(self, random: np.random.Generator) -> None:
        twin, model, truth = self.twin, self._model, self.twin.truth()
        model.place(truth.parameters.things, truth.object_positions, truth.object_quaternions)
        grasp = plan(model, truth.tcp_position, truth.tcp_yaw)
        sloppy = random.random() < SLOPPY
        anywhere = random.uniform(self._low, self._high)
        if grasp is None or (sloppy and random.random() < NOWHERE):
            place, yaw, clear = anywhere, float(random.uniform(-1.5, 1.5)), self._high[2]
            place[2] = self._low[2]
        else:
            place, yaw, clear = grasp.place.copy(), grasp.yaw, grasp.clear
            if sloppy:
                place += random.normal(0, STRAY, 3) * (1, 1, 0.4)
                yaw += float(random.normal(0, 0.3))
        place = np.clip(place, self._low, self._high)
        self._go(np.array([*place[:2], max(clear, place[2])]), yaw)
        self._go(place, yaw)
        twin.gripper.command(0.0)
        twin.advance(1.2)
        self._go(np.array([*place[:2], self._high[2]]), yaw)

    def _put_down(self) -> None:
        """And close the hand: one that held nothing then casts the same shadow as before."""
        self._go(self._over)
        self._go(self._drop)
        self.twin.gripper.command(self.twin.cell.gripper.aperture.value[1])
        self.twin.advance(0.8)
        self._go(self._over)
        self.twin.gripper.command(0.0)
        self._retract()

    def _retract(self) -> None:
        """Aside, and the elbow where it always is there, or the arm's shadow is another: seven
        joints leave it free, and it comes home only while the arm moves."""
        for _ in range(TRIES):
            self._go(self._over)
            if self._go(self._aside) and np.abs(self._joints() - self._posture).max() < ELBOW:
                return
        raise RuntimeError("the arm did not get out of the picture")

    def _joints(self) -> Array:
        state = self.twin.arm.states.latest()
        assert state is not None
        return state.positions

    def _go(self, place: Array, yaw: float = 0.0) -> bool:
        """There in a straight line, unless something stops the arm; that is cleared."""
        twin = self.twin
        w, x, y, z = quaternion(down(yaw))
        twin.arm.pose(place, (x, y, z, w))
        for _ in range(50):
            twin.advance(0.1)
            if twin.arm.mode != "ready":
                twin.arm.clear()
                return False
            if np.abs(twin.truth().tcp_position - place).max() < 0.002:
                return True
        return False

    def _picture(self, folder: Path, name: str) -> None:
        twin = self.twin
        twin.advance(SETTLE_S)
        for light, faults in LIGHTS.items():
            twin.inject(faults)
            since = twin.time_ns
            twin.advance(0.12)
            frame = twin.cameras[CAMERA].latest()
            if frame is None or frame.picture is None or frame.captured_ns < since:
                raise RuntimeError("the camera gave no frame in 0.12 s")
            path = folder / light / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), frame.picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
        twin.inject(Faults())


def collect(folder: Path, seeds: range, kind: str = "cycle") -> Iterator[tuple[Path, Cycle]]:
    """The cycles of these seeds, rooms in turn; what `folder` has already is not done again."""
    routine: Routine | None = None
    config = TwinConfig(mode="lockstep", cameras=(CAMERA,), feed=FeedConfig(drop=0.0))
    try:
        for seed in seeds:
            place = folder / f"{kind}{seed}"
            told = place / "cycle.json"
            if not told.exists():
                routine = routine or Routine(Twin(config=config))
                act = routine.cycle if kind == "cycle" else routine.empty
                cycle = act(seed, ROOMS[seed % len(ROOMS)], place)
                told.write_text(json.dumps(asdict(cycle)))
            yield place, Cycle(**json.loads(told.read_text()))
    finally:
        if routine is not None:
            routine.twin.close()


def pair(place: Path, light: str) -> tuple[Picture, Picture]:
    """Before and after, RGB."""
    one, other = (
        np.ascontiguousarray(np.asarray(cv2.imread(str(place / light / f"{n}.png")))[..., ::-1])
        for n in ("before", "after")
    )
    return one, other
