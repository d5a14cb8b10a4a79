"""The twin: the cell as its hardware would be, seen from outside. Nothing of ROS is in it.

    with Twin(cell, TwinConfig(preset="factory")) as twin:
        twin.arm.twist((0, 0, -0.05), (0, 0, 0))
        frame = twin.cameras["front"].latest()

In real time (or `factor` times that) a thread of its own keeps the physics on an absolute
schedule, and another draws. In lockstep there is no thread: the caller advances time, and the same
calls give the same bits.
"""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from calibration import Cell, load_cell
from policy.contract import Invalid

from ..env import TWIN
from ..world import World
from .claw import ClawDriver
from .config import Health, Truth, TwinConfig
from .darkroom import CameraDriver, Darkroom
from .drive import ArmDriver
from .faults import Faults
from .feed import Feed, Pool
from .pace import Pace, Timeline
from .stage import Stage
from .topic import Closed


class Twin:
    def __init__(self, cell: Cell | str | Path = TWIN, config: TwinConfig | None = None) -> None:
        self.cell = cell if isinstance(cell, Cell) else load_cell(Path(cell))
        self.config = config = config or TwinConfig()
        images: dict[str, set[str]] = {}
        for image in self.cell.images if config.cameras is None else config.cameras:
            images.setdefault(self.cell.camera_of(image), set()).add(image)
        seen = [self.cell.cameras[name] for name in images]
        sides = [side for camera in seen for side in (camera.width, camera.height)]
        largest = max([config.scene.largest_picture, *sides])
        self._world = world = World(self.cell, replace(config.scene, largest_picture=largest))
        self._time, self._dt = Timeline(), round(world.config.timestep * 1e9)
        self._until = 0
        real = config.mode == "real_time"
        seeds = (config.seed,)
        self.arm = ArmDriver(world, config.drive, self._time, seeds, real)
        self.gripper = ClawDriver(world, config.claw, self._time, seeds, real)
        self._pace = Pace(config.factor, config.max_lag) if real else None
        self._failure: BaseException | None = None
        self._told = self._closed = False
        shadows = config.shadows and config.scene.shadows > 0
        self._darkroom = Darkroom(world.model, shadows, self._time, self._pace, self._fail)
        pool = Pool(world.model)
        self._feeds = [
            Feed(name, self.cell, wanted, config.feed, (config.seed, number), real, pool)
            for number, (name, wanted) in enumerate(images.items())
        ]
        self.cameras = {
            feed.name: CameraDriver(feed, self._darkroom, lambda: self.faults)
            for feed in self._feeds
        }
        eyes = {feed.name: feed.film.eye for feed in self._feeds}
        self._stage = Stage(world, eyes, config.objects, config.seed)
        self.faults = Faults()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.reset(config.seed)
        if self._pace is not None:
            self._start(self._pace)

    # Time ---------------------------------------------------------------------------------------

    @property
    def time_ns(self) -> int:
        """Twin time since it was opened; stamps are in it."""
        return self._time.now_ns

    def wall_ns(self, twin_ns: int) -> int:
        """What `time.monotonic_ns()` shows at that twin time, by today's schedule."""
        if self._pace is None:
            raise RuntimeError("twin.wall_ns: lockstep has no wall time: stamp with time_ns")
        return self._pace.wall_ns(twin_ns)

    def advance(self, seconds: float) -> None:
        """Lockstep: let that much time pass. Fractions of a physics step add up over calls."""
        self.check()
        if self._pace is not None:
            raise RuntimeError("twin.advance: it runs in real time: open it with mode='lockstep'")
        if not 0 <= seconds < math.inf:
            raise Invalid("seconds", seconds, "0 or more", "time goes forward")
        self._until += round(seconds * 1e9)
        while self._time.now_ns + self._dt <= self._until:
            self._tick()
            self._darkroom.deliver(self._time.now_ns)

    def _tick(self) -> None:
        """One step of the physics, and what drivers and cameras read at its end."""
        with self._time.lock:
            now = self._time.now_ns
            self.arm.tick(now)
            self.gripper.tick(now)
            self._world.advance(self._world.config.timestep)
            self._time.now_ns = now = now + self._dt
            self._stage.tick(now)
            arm, claw = self.arm.read(now), self.gripper.read(now)
            imaging = self._stage.imaging(now, self.faults)
            for feed in self._feeds:
                shot = feed.expose(self._world.data, now, imaging[feed.name], self.faults)
                if shot is not None:
                    self._darkroom.accept(feed, shot)
        # Outside the lock: who listens may hold a lock of his own and wait for ours.
        if arm is not None:
            self.arm.states.publish(arm)
        if claw is not None:
            self.gripper.states.publish(claw)

    # The world ----------------------------------------------------------------------------------

    def reset(self, seed: int, preset: str | None = None) -> None:
        """Another start, and another room if `preset` names one: arm above the bin, gripper open,
        new objects. Faults and stops stay, and time goes on."""
        self.check()
        with self._time.lock, self._darkroom.drawing:
            self._darkroom.empty()
            parameters = self._stage.reset(seed, preset or self.config.preset)
            self._stage.misbehave(self.faults)
            self.gripper.reset()
            self.arm.reset(parameters.misfit)

    def reset_objects(self, seed: int) -> None:
        """Other objects in the bin; arm and room stay as they are."""
        self.check()
        with self._time.lock, self._darkroom.drawing:
            self._stage.refill(seed)
            self._darkroom.empty()

    def put_board(self, place: str, camera: str = "") -> None:
        """The printed board into the hand, into the bin, shown to that camera, or away."""
        self.check()
        with self._time.lock, self._darkroom.drawing:
            self._stage.put_board(place, camera)

    def inject(self, faults: Faults) -> None:
        """Misbehave like this from now on; `Faults()` behaves."""
        self.check()
        faults.check(self.cell)
        with self._time.lock:
            self.faults = faults
            self.arm.lose, self.arm.repeat = faults.lose_commands, faults.repeat_pose
            self._stage.misbehave(faults)

    # What is known ------------------------------------------------------------------------------

    def truth(self) -> Truth:
        self.check()
        with self._time.lock:
            return self._stage.truth(self._time.now_ns, self.arm.contact_force())

    def health(self) -> Health:
        pace = self._pace
        with self._time.lock:
            return Health(
                self._time.now_ns, pace.measured() if pace else 0.0,
                pace.lag_ns * 1e-9 if pace else 0.0, pace.slipped_ns * 1e-9 if pace else 0.0,
                {feed.name: replace(feed.counts) for feed in self._feeds}, self.arm.received,
                self.arm.refused, self.arm.lost, self.arm.stale,
                repr(self._failure) if self._failure else None,
            )  # fmt: skip

    def check(self) -> None:
        """Raise what made a thread of the twin fail, or that it is closed."""
        if self._failure is not None:
            self._told = True
            raise Closed(f"the twin failed: {self._failure!r}") from self._failure
        if self._closed:
            raise Closed("the twin is closed: open another")

    # Threads ------------------------------------------------------------------------------------

    def _start(self, pace: Pace) -> None:
        if self._feeds:
            self._darkroom.start()
        try:
            self.check()
        except Closed:
            self._darkroom.close()
            raise
        pace.begin()
        self._thread = threading.Thread(target=self._run, args=(pace,), name="twin", daemon=True)
        self._thread.start()

    def _run(self, pace: Pace) -> None:
        try:
            while not self._stopping.is_set():
                due = pace.target(self._time.now_ns)
                while self._time.now_ns + self._dt <= due and not self._stopping.is_set():
                    self._tick()
                self._stopping.wait(pace.wait_s(self._time.now_ns + self._dt))
        except BaseException as error:  # noqa: BLE001 - the twin's users raise it
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._stopping.set()
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        self.arm.states.end(error)
        self.gripper.states.end(error)
        for feed in self._feeds:
            feed.frames.end(error)

    def close(self) -> None:
        """Stop, and give the graphics context back. Raises a failure nobody was told of."""
        if self._closed:
            return
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._darkroom.close()
        self._end(None)
        self._closed = True
        if self._failure is not None and not self._told:
            self.check()

    def __enter__(self) -> Twin:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._told = self._told or error is not None
        self.close()
