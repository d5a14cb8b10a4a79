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
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np

from calibration import Cell, load_cell
from policy.contract import Invalid

from . import presets
from .appearance import Appearance
from .arm import CartesianArm
from .armstate import ArmState
from .bin import fill
from .claw import ClawDriver, ClawState
from .darkroom import Darkroom
from .drive import ArmDriver
from .env import TWIN
from .faults import Faults
from .feed import Feed, Frame, Pool
from .gripper import FINGERS
from .pace import Pace, Timeline
from .topic import Closed, Subscription
from .twinconfig import Health, Truth, TwinConfig
from .world import World

SEIZED = 1e4  # N*m or N of dry friction
OILED = 1e-4  # of the pads' friction
ABOVE_RIM = 0.05  # m; where the gripper must be before the bin is filled


class CameraDriver:
    def __init__(self, feed: Feed, darkroom: Darkroom, faults: Callable[[], Faults]) -> None:
        self._feed, self._darkroom, self._faults = feed, darkroom, faults

    @property
    def connected(self) -> bool:
        return self._feed.name not in self._faults().disconnect

    def latest(self) -> Frame | None:
        """The newest frame that has arrived; None before the first."""
        return self._darkroom.latest(self._feed)

    def subscribe(self, depth: int = 2) -> Subscription[Frame]:
        return self._feed.frames.subscribe(depth)

    def listen(self, callback: Callable[[Frame], None]) -> Callable[[], None]:
        """Each frame, in the drawing thread; see `Topic.listen`."""
        return self._feed.frames.listen(callback)


class Twin:
    def __init__(self, cell: Cell | str | Path = TWIN, config: TwinConfig | None = None) -> None:
        self.cell = cell if isinstance(cell, Cell) else load_cell(Path(cell))
        self.config = config = config or TwinConfig()
        names = tuple(self.cell.cameras) if config.cameras is None else config.cameras
        for name in names:
            if name not in self.cell.cameras:
                wanted = f"of {', '.join(self.cell.cameras)}"
                raise Invalid("cameras", name, wanted, "name a camera of the cell")
        sides = [
            s for n in names for s in (self.cell.cameras[n].width, self.cell.cameras[n].height)
        ]
        largest = max([config.scene.largest_picture, *sides])
        self._world = world = World(self.cell, replace(config.scene, largest_picture=largest))
        self._setup, self._appearance = CartesianArm(world), Appearance(world)
        self._loss = world.model.dof_frictionloss.copy()
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
            Feed(name, self.cell, config.feed, (config.seed, number), real, pool)
            for number, name in enumerate(names)
        ]
        self.cameras = {
            feed.name: CameraDriver(feed, self._darkroom, lambda: self.faults)
            for feed in self._feeds
        }
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
            arm, claw = self.arm.read(now), self.gripper.read(now)
            imaging = self.parameters.imaging
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
        """Another start, and another look if `preset` names one: arm above the bin, gripper open,
        new objects. Faults and stops stay, and time goes on."""
        self.check()
        name = preset or self.config.preset
        parameters = presets.episode(
            name, self.cell, seed, self.config.objects, self._world.config.objects
        )
        with self._time.lock, self._darkroom.drawing:
            self._darkroom.empty()
            self.parameters = parameters
            self._world.model.dof_frictionloss[:] = self._loss
            space = self.cell.workspace
            low, high = np.array(space.low.value), np.array(space.high.value)
            self._setup.reset(np.array([*(low + high)[:2] / 2, high[2]]), 0.0, parameters)
            fill(self._world, list(parameters.things), np.random.default_rng([seed, 6]))
            self._paint()
            self.gripper.reset()
            self.arm.reset(parameters.misfit)
            model = self._world.model
            self._friction = model.dof_frictionloss.copy(), model.geom_friction.copy()
            self._misbehave()

    def reset_objects(self, seed: int) -> None:
        """Other objects in the bin; arm and room stay as they are."""
        self.check()
        with self._time.lock, self._darkroom.drawing:
            self._clear_of_bin()
            self._darkroom.empty()
            fresh = presets.episode(
                self.config.preset, self.cell, seed, self.config.objects, self._world.config.objects
            )
            look = replace(self.parameters.look, things=fresh.look.things)
            self.parameters = replace(self.parameters, things=fresh.things, look=look)
            fill(self._world, list(fresh.things), np.random.default_rng([seed, 6]))
            self._paint()

    def _clear_of_bin(self) -> None:
        box = self.cell.bin
        height, rim = self._world.tcp[0][2], box.centre.value[2] + box.wall_height.value
        if height < rim + ABOVE_RIM or self._world.held() is not None:
            found = f"TCP at {height:.3f} m" + (", holding an object" * (height >= rim + ABOVE_RIM))
            wanted = f"an empty gripper {rim + ABOVE_RIM:.3f} m high or more"
            raise Invalid("reset_objects", found, wanted, "open the gripper and raise it, or reset")

    def _paint(self) -> None:
        """After filling, which makes the objects anew."""
        self._appearance.paint(self.parameters.look)
        for feed in self._feeds:
            view = self.parameters.views[feed.name]
            self._appearance.view(feed.name, view)
            feed.eye.aim(self._world.model, view.zoom)
        self._world.refresh()  # lamps and cameras stand still: no step computes them again

    def inject(self, faults: Faults) -> None:
        """Misbehave like this from now on; `Faults()` behaves."""
        self.check()
        faults.check(self.cell)
        with self._time.lock:
            self.faults = faults
            self._misbehave()

    def _misbehave(self) -> None:
        world, faults = self._world, self.faults
        loss, grip = (array.copy() for array in self._friction)
        loss[world.arm_dof[list(faults.stick)]] = SEIZED
        if faults.gripper_jam:
            loss[[world.model.joint(name).dofadr[0] for name in FINGERS]] = SEIZED
        if faults.slip:
            grip[world.pads] *= OILED
        world.model.dof_frictionloss[:] = loss
        world.model.geom_friction[world.pads] = grip[world.pads]
        self.arm.lose = faults.lose_commands

    # What is known ------------------------------------------------------------------------------

    def truth(self) -> Truth:
        self.check()
        with self._time.lock:
            world = self._world
            place, yaw = world.tcp
            positions, quaternions = world.poses()
            return Truth(
                self._time.now_ns, place, yaw, world.angles, world.aperture,
                self.arm.contact_force(), positions, quaternions, world.held(), self.parameters,
            )  # fmt: skip

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


__all__ = ["ArmState", "ClawState", "Faults", "Frame", "Health", "Truth", "Twin", "TwinConfig"]
