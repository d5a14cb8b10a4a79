"""The twin's camera as a driver shows it: frames that were exposed at one time and come at another,
or not at all.

Exposing is the physics' side: it copies the state (microseconds) at the times the shutter is open.
Developing is the side of whoever owns the graphics context: drawing, lens, sensor, encoding.
Stamps are in steps of the physics, and each is that of the state shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import cv2
import mujoco
import numpy as np
import numpy.typing as npt

from calibration import Cell
from policy.contract import Invalid, Strict

from ..camera import Drawer, Picture
from ..eye import Eye
from ..parameters import Imaging
from .faults import Faults
from .pace import Lag
from .topic import Topic

MOST_WAITING = 2  # of a camera, exposed and not yet drawn: beyond, the oldest is lost
BLUR_PX = 1.0  # what moves less than this while the shutter is open is drawn once


@dataclass(frozen=True)
class FeedConfig(Strict):
    """`exposures`: pictures averaged into one where something moves: motion blur. Off by default:
    each costs a drawing, 10-20 ms with shadows, and two are all the time a 30 Hz camera has."""

    exposures: int = 1
    jitter: float = 0.0005  # s, standard deviation of the time between frames
    drop: float = 0.002  # share of frames that a healthy link loses
    jpeg: int = 0  # quality of `Frame.encoded`; 0: none

    def __post_init__(self) -> None:
        if not 1 <= self.exposures <= 16:
            raise Invalid("exposures", self.exposures, "1 to 16", "1 switches motion blur off")
        if not 0 <= self.jitter <= 0.05:
            raise Invalid("jitter", self.jitter, "0 to 0.05 s", "give seconds")
        if not 0 <= self.drop < 1:
            raise Invalid("drop", self.drop, "0 or more, less than 1", "give a share")
        if not 0 <= self.jpeg <= 100:
            raise Invalid("jpeg", self.jpeg, "0 to 100", "0 sends no code")


@dataclass(frozen=True)
class Frame:
    """`sequence` numbers exposures: a lost frame leaves a gap. Stamps are twin time: when the
    shutter opened, when the frame was there to be read. The picture is read-only RGB."""

    camera: str
    sequence: int
    captured_ns: int
    arrived_ns: int
    picture: Picture
    encoded: bytes | None  # JPEG


@dataclass(eq=False)
class Shot:
    """What the shutter let in, on its way. Without states it repeats the frame before."""

    sequence: int
    serial: int  # of all the feed's shots: seeds the noise
    captured_ns: int
    arrival_ns: int
    imaging: Imaging
    states: list[mujoco.MjData] = field(default_factory=list)
    frozen: bool = False
    frame: Frame | None = None


@dataclass
class Counts:
    exposed: int = 0
    lost: int = 0  # on the link
    overrun: int = 0  # drawing did not keep up
    late: int = 0  # came after its time, because drawing took longer than the latency
    delivered: int = 0
    develop_s: float = 0.0  # all of them together
    developed: int = 0


class Feed:
    def __init__(
        self,
        name: str,
        cell: Cell,
        config: FeedConfig,
        seeds: Sequence[int],
        blocking: bool,
        pool: Pool,
    ) -> None:
        self.name, self.config = name, config
        self.camera = camera = cell.cameras[name]
        self.frames: Topic[Frame] = Topic(f"camera {name}", blocking)
        self.counts = Counts()
        self.eye = Eye(
            name, camera, (camera.height, camera.width), (0, 0, camera.height, camera.width)
        )
        self._seeds, self._pool = list(seeds), pool
        self._random = np.random.default_rng([*seeds, 3])
        self._lag: Lag[Shot] = Lag(cell.latency.camera, np.random.default_rng([*seeds, 5]))
        self._period = round(camera.period.value * 1e9)
        self._next_ns, self._sequence, self._serial = self._period, 0, 0
        self._shift = 0
        self._open: Shot | None = None
        self._moments: list[int] = []
        self._last: Frame | None = None
        self._connected = True

    # The physics' side --------------------------------------------------------------------------

    def expose(
        self, data: mujoco.MjData, now_ns: int, imaging: Imaging, faults: Faults
    ) -> Shot | None:
        """At `now_ns` of the physics; a shot when one is complete."""
        if self.name in faults.disconnect:
            self._connected, self._moments = False, []
            self._drop_open()
        elif not self._connected:
            self._connected, self._sequence = True, 0
            self._next_ns = now_ns
        if self._open is None and now_ns >= self._next_ns:
            shot = self._begin(now_ns, imaging, faults)
            if shot is not None and not self._moments:
                return shot
            self._open = shot
        if self._open is None:
            return None
        if now_ns >= self._moments[0]:
            self._open.states.append(self._pool.copy(data))
            self._moments.pop(0)
        if self._moments:
            return None
        done, self._open = self._open, None
        return done

    def _begin(self, now_ns: int, imaging: Imaging, faults: Faults) -> Shot | None:
        """Open the shutter. All is drawn always, so that one fault does not shift another."""
        jitter, fate, twice = self._random.standard_normal(), *self._random.random(2)
        late = (now_ns - self._next_ns) % self._period
        shift = float(np.clip(jitter * self.config.jitter, -0.2 * self._period, 0.2 * self._period))
        self._next_ns = now_ns - late + self._period + round(shift * 1e9) - self._shift
        self._shift = round(shift * 1e9)
        exposure = self.exposure_ns(imaging)
        arrival = max(self._lag.arrival(now_ns), now_ns + exposure)
        if not self._connected:
            return None
        shot = Shot(
            self._sequence, self._serial, now_ns, faults.held_until(arrival), imaging,
            frozen=self.name in faults.freeze,
        )  # fmt: skip
        self._sequence, self._serial = self._sequence + (not shot.frozen), self._serial + 1
        self.counts.exposed += 1
        if fate < max(faults.drop, self.config.drop):
            self.counts.lost += 1
            return None
        if not shot.frozen and not twice < faults.repeat:
            count = self.config.exposures
            self._moments = [now_ns + exposure * k // max(count - 1, 1) for k in range(count)]
        return shot

    def exposure_ns(self, imaging: Imaging) -> int:
        """A brighter picture was exposed for longer, at the same aperture."""
        shortest, longest = self.camera.exposure.value
        seconds = math.sqrt(shortest * longest) * float(imaging.gain**2.2)
        return round(min(max(seconds, shortest), longest, 0.8 * self.camera.period.value) * 1e9)

    def _drop_open(self) -> None:
        if self._open is not None:
            self._pool.give(self._open.states)
            self._open = None

    # The drawing side ---------------------------------------------------------------------------

    def develop(self, shot: Shot, drawer: Callable[[], Drawer], shadows: bool) -> None:
        """Make `shot.frame`; it stays None where there is nothing to repeat."""
        last = self._last
        if shot.states:
            states = shot.states if self._moved(shot.states) > BLUR_PX else shot.states[:1]
            noise = np.random.default_rng([*self._seeds, 4, shot.serial])
            light = self.eye.draw(drawer(), states[0], shadows)
            if len(states) > 1:
                total = light.astype(np.float32)
                for state in states[1:]:
                    total += self.eye.draw(drawer(), state, shadows)
                light = (total / len(states)).astype(np.uint8)
            picture = self.eye.develop(light, shot.imaging, noise)
            picture.flags.writeable = False
            shot.frame = Frame(
                self.name, shot.sequence, shot.captured_ns, shot.arrival_ns, picture,
                self._encode(picture),
            )  # fmt: skip
            self._pool.give(shot.states)
            shot.states = []
        elif last is not None and shot.frozen:
            shot.frame = replace(last, arrived_ns=shot.arrival_ns)
        elif last is not None:
            shot.frame = replace(
                last, sequence=shot.sequence, captured_ns=shot.captured_ns,
                arrived_ns=shot.arrival_ns,
            )  # fmt: skip
        self._last = shot.frame or last

    def discard(self, shot: Shot) -> None:
        self._pool.give(shot.states)
        shot.states = []

    def _encode(self, picture: Picture) -> bytes | None:
        if not self.config.jpeg:
            return None
        quality = [cv2.IMWRITE_JPEG_QUALITY, self.config.jpeg]
        _, code = cv2.imencode(".jpg", picture[..., ::-1], quality)
        return code.tobytes()

    def _moved(self, states: list[mujoco.MjData]) -> float:
        """px; how far anything that moves came between the first state and the last."""
        first, last = states[0], states[-1]
        ways: npt.NDArray[np.float64] = np.linalg.norm(last.xpos - first.xpos, axis=1)
        far = first.xpos - first.cam(self.name).xpos
        depth = np.maximum(np.linalg.norm(far, axis=1), 0.1)
        return float((ways / depth).max() * self.camera.focal.value[0])


class Pool:
    """States to copy into: making one costs 0.4 ms, a copy microseconds."""

    def __init__(self, model: mujoco.MjModel) -> None:
        self._model, self._free = model, list[mujoco.MjData]()

    def copy(self, data: mujoco.MjData) -> mujoco.MjData:
        state = self._free.pop() if self._free else mujoco.MjData(self._model)
        mujoco.mj_copyData(state, self._model, data)
        # Poses are those of the step before; what is seen must be where the encoders say.
        mujoco.mj_kinematics(self._model, state)
        mujoco.mj_camlight(self._model, state)
        return state

    def give(self, states: list[mujoco.MjData]) -> None:
        self._free.extend(states)
