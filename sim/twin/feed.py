"""The twin's camera as a driver shows it: frames that were exposed at one time and come at another,
or not at all.

Exposing is the physics' side: it copies the state (microseconds) at the times the shutter is open.
Developing (film.py) is the side of whoever owns the graphics context.
Stamps are in steps of the physics, and each is that of the state shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from calibration import Cell
from calibration.cell import DEPTH
from policy.contract import Invalid, Strict

from ..camera import Drawer
from ..parameters import Imaging
from .faults import Faults
from .film import Film, Frame, Shot
from .pace import Lag
from .topic import Topic

MOST_WAITING = 1  # of a camera, exposed and not yet drawn: beyond, the oldest is lost


@dataclass(frozen=True)
class FeedConfig(Strict):
    """`exposures`: pictures averaged into one where something moves: motion blur. Off by default:
    each costs a drawing, 10-20 ms with shadows, and two are all the time a 30 Hz camera has."""

    exposures: int = 1
    jitter: float = 0.0005  # s, standard deviation of the time between frames
    drop: float = 0.002  # share of frames that a healthy link loses
    jpeg: int = 0  # quality of `Frame.encoded`; 0: none
    rate: float | None = None  # frames a second; None: each camera's own

    def __post_init__(self) -> None:
        if not 1 <= self.exposures <= 16:
            raise Invalid("exposures", self.exposures, "1 to 16", "1 switches motion blur off")
        if not 0 <= self.jitter <= 0.05:
            raise Invalid("jitter", self.jitter, "0 to 0.05 s", "give seconds")
        if not 0 <= self.drop < 1:
            raise Invalid("drop", self.drop, "0 or more, less than 1", "give a share")
        if not 0 <= self.jpeg <= 100:
            raise Invalid("jpeg", self.jpeg, "0 to 100", "0 sends no code")
        if self.rate is not None and not 0 < self.rate < math.inf:
            raise Invalid("rate", self.rate, "more than 0 Hz", "give frames a second")


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
        images: set[str],
        config: FeedConfig,
        seeds: Sequence[int],
        blocking: bool,
        pool: Pool,
    ) -> None:
        """`images`: which of the camera's are wanted, by the cell's names."""
        self.name, self.config = name, config
        self.camera = camera = cell.cameras[name]
        self.frames: Topic[Frame] = Topic(f"camera {name}", blocking)
        self.counts = Counts()
        wanted = (name in images, f"{name}{DEPTH}" in images)
        self.film = Film(name, camera, *wanted, config.jpeg, seeds)
        self._pool = pool
        self._random = np.random.default_rng([*seeds, 3])
        self._lag: Lag[Shot] = Lag(cell.latency.camera, np.random.default_rng([*seeds, 5]))
        self._period = self._period_ns()
        self._next_ns, self._sequence, self._serial = self._period, 0, 0
        self._shift = 0
        self._open: Shot | None = None
        self._moments: list[int] = []
        self._connected = True

    def _period_ns(self) -> int:
        own, rate = self.camera.period.value, self.config.rate
        if rate is not None and rate * own > 1.001:  # 30 Hz of a camera with 0.033333 s
            wanted, remedy = f"{1 / own:.4g} Hz at most", f"the cell's {self.name} is no faster"
            raise Invalid("feed.rate", rate, wanted, remedy)
        return round(1e9 * (own if rate is None else 1 / rate))

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
        self.film.develop(shot, drawer, shadows)
        self.discard(shot)

    def discard(self, shot: Shot) -> None:
        self._pool.give(shot.states)
        shot.states = []


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
