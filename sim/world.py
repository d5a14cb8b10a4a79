"""The cell in motion: arm, gripper and objects under commands that take time to arrive.

Time is counted in physics steps, so that it neither drifts nor depends on how it is cut up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from calibration import Cell

from .bits import GRIPPER, HIT_ALL, SCENERY
from .config import SceneConfig
from .gripper import FINGERS, STIFFNESS
from .ik import Kinematics, yaw_of
from .objects import Thing
from .robot import joint_speeds
from .scene import PARKED, build
from .slots import Slots

Array = npt.NDArray[np.float64]
SQUEEZE = 2 * 2 * 1.5 / STIFFNESS  # m/N: two fingers, the motor of both, and to spare
CHUNK_S = 0.02  # setpoints are renewed this often, as a robot's controller interpolates


@dataclass(frozen=True)
class _Motion:
    """Joint angles from where the setpoint is when it starts, to `goal`."""

    start_step: int
    goal: Array
    steps: int


class World:
    def __init__(self, cell: Cell, config: SceneConfig) -> None:
        self.cell, self.config = cell, config
        self.model = build(cell, config)
        self.data = mujoco.MjData(self.model)
        self.kinematics = Kinematics(cell)
        self.things: list[Thing] = []
        self.joints = cell.arm.joints
        model = self.model
        self.opening = cell.gripper.aperture.value[1]
        self._tcp = model.site("tcp").id
        joints = [model.joint(f"joint{i}").id for i in range(self.joints)]
        self._arm_qpos, self.arm_dof = model.jnt_qposadr[joints], model.jnt_dofadr[joints]
        self._arm_ctrl = np.array([model.actuator(f"joint{i}").id for i in range(self.joints)])
        self._finger_qpos = model.jnt_qposadr[[model.joint(name).id for name in FINGERS]]
        self.gripper = model.actuator("gripper").id
        self.speed_limits = np.array(joint_speeds(cell))
        slots = range(config.objects)
        self.slots = Slots(model, config.objects)
        self._qpos = np.array([model.joint(f"object{i}").qposadr[0] for i in slots])
        self._dof = np.array([model.joint(f"object{i}").dofadr[0] for i in slots])
        self.pads = np.array([model.geom(f"{name}_pad").id for name in FINGERS])
        self._owner = np.full(model.ngeom, -1)
        for number, geoms in enumerate(self.slots.geoms):
            self._owner[geoms] = number
        self._solid_arm = np.flatnonzero(model.geom_contype == GRIPPER)
        # Called while time goes on, every CHUNK_S or sooner, by whoever films.
        self.watch: Callable[[], None] | None = None
        self._setpoint: Array = self.kinematics.home.copy()
        self._grip_goal = self._grip_setpoint = self.opening
        # A thing's own friction is a factor on the pads': contacts have one, that of the pair.
        self.grip_friction: float = cell.gripper.friction.value
        self.closing_speed: float = cell.gripper.closing_speed.value
        self.reset()

    # Time ---------------------------------------------------------------------------------------

    @property
    def time(self) -> float:
        return self._step * self.config.timestep

    def steps(self, seconds: float) -> int:
        return max(0, round(seconds / self.config.timestep))

    def advance(self, seconds: float) -> None:
        """Let the world go on. Pending commands take effect at their own time."""
        end, chunk = self._step + self.steps(seconds), self.steps(CHUNK_S)
        while self._step < end:
            due = min(
                [e for e in (self._arm_due(), self._grip_due()) if e is not None], default=end
            )
            self._take_due()
            until = min(end, self._step + chunk, due if due > self._step else end)
            count = max(1, until - self._step)
            self._renew_setpoints(count)
            mujoco.mj_step(self.model, self.data, nstep=count)
            self._step += count
            if self.watch is not None:
                self.watch()

    def _arm_due(self) -> int | None:
        return self._pending_arm[0].start_step if self._pending_arm else None

    def _grip_due(self) -> int | None:
        return self._pending_grip[0][0] if self._pending_grip else None

    def _take_due(self) -> None:
        while self._pending_arm and self._pending_arm[0].start_step <= self._step:
            self._motion = self._pending_arm.pop(0)
        while self._pending_grip and self._pending_grip[0][0] <= self._step:
            self._grip_goal = self._pending_grip.pop(0)[1]

    def _renew_setpoints(self, count: int) -> None:
        seconds = count * self.config.timestep
        left = max(self._motion.start_step + self._motion.steps - self._step, count)
        move = (self._motion.goal - self._setpoint) * min(1.0, count / left)
        limit = self.speed_limits * seconds
        self._setpoint = self._setpoint + move.clip(-limit, limit)
        self.data.ctrl[self._arm_ctrl] = self._setpoint
        pace = self.closing_speed * seconds
        self._grip_setpoint += min(max(self._grip_goal - self._grip_setpoint, -pace), pace)
        self.data.ctrl[self.gripper] = self._grip_setpoint / 2

    # Commands -----------------------------------------------------------------------------------

    def move(self, goal: Array, seconds: float, delay: float = 0.0) -> None:
        """Send the joints to `goal`, to be there `seconds` after the command arrives."""
        start = self._step + self.steps(delay)
        self._pending_arm.append(_Motion(start, goal.copy(), max(1, self.steps(seconds))))
        self._pending_arm.sort(key=lambda motion: motion.start_step)

    def grip(self, aperture: float, delay: float = 0.0) -> None:
        """Send the gripper to `aperture`. Closed means pressed together: the motor goes on until
        it pushes with all its force, however thin the thing between."""
        if aperture <= 0:
            aperture = -SQUEEZE * self.cell.gripper.force.value
        self._pending_grip.append((self._step + self.steps(delay), aperture))
        self._pending_grip.sort(key=lambda command: command[0])

    # Readings -----------------------------------------------------------------------------------

    @property
    def angles(self) -> Array:
        found: Array = self.data.qpos[self._arm_qpos]
        return found.copy()

    @property
    def rates(self) -> Array:
        found: Array = self.data.qvel[self.arm_dof]
        return found.copy()

    @property
    def setpoint(self) -> Array:
        return self._setpoint.copy()

    @property
    def torques(self) -> Array:
        found: Array = self.data.actuator_force[self._arm_ctrl]
        return found.copy()

    @property
    def aperture(self) -> float:
        return min(max(float(self.data.qpos[self._finger_qpos].sum()), 0.0), self.opening)

    @property
    def grip_force(self) -> float:
        """N between the fingers, as a gripper's motor current tells it."""
        return abs(float(self.data.actuator_force[self.gripper])) / 2

    @property
    def tcp(self) -> tuple[Array, float]:
        """Position, and yaw. Of the last state computed: one step old at most."""
        place: Array = self.data.site_xpos[self._tcp]
        return place.copy(), yaw_of(self.data.site_xmat[self._tcp].reshape(3, 3))

    def poses(self) -> tuple[Array, Array]:
        """Of the objects: positions (n, 3) and quaternions w, x, y, z (n, 4)."""
        rows = self._qpos[: len(self.things), None] + np.arange(7)
        found = self.data.qpos[rows]
        return found[:, :3], found[:, 3:]

    def object_speeds(self) -> Array:
        """m/s, or the rad/s of the turning at 5 cm, whichever is more; object by object."""
        rows = self._dof[: len(self.things), None] + np.arange(6)
        speeds = np.abs(self.data.qvel[rows]) * np.repeat((1.0, 0.05), 3)
        fastest: Array = speeds.max(axis=1)
        return fastest

    def held(self) -> int | None:
        """The object that both pads press and nothing else of the scenery holds up."""
        contacts = self.data.contact
        pairs = contacts.geom[: self.data.ncon]
        touching: list[set[int]] = [set(), set()]
        supported: set[int] = set()
        for a, b in pairs:
            for one, other in ((a, b), (b, a)):
                owner = int(self._owner[one])
                if owner < 0:
                    continue
                for side in (0, 1):
                    if other == self.pads[side]:
                        touching[side].add(owner)
                if self.model.geom_contype[other] & SCENERY:
                    supported.add(owner)
        both = (touching[0] & touching[1]) - supported
        return min(both) if both else None

    # Reset --------------------------------------------------------------------------------------

    def reset(self, angles: Array | None = None) -> None:
        """All at rest: the arm at `angles` (or home), gripper open, no object."""
        mujoco.mj_resetData(self.model, self.data)
        self._step = 0
        self._pending_arm: list[_Motion] = []
        self._pending_grip: list[tuple[int, float]] = []
        self._setpoint = np.array(self.kinematics.home if angles is None else angles)
        self._motion = _Motion(0, self._setpoint.copy(), 1)
        self._grip_goal = self._grip_setpoint = self.opening
        self.closing_speed = self.cell.gripper.closing_speed.value
        self.data.qpos[self._arm_qpos] = self._setpoint
        self.data.qpos[self._finger_qpos] = self.opening / 2
        self.place([], np.zeros((0, 3)), np.zeros((0, 4)))

    def place(self, things: Sequence[Thing], positions: Array, quaternions: Array) -> None:
        """Make the first slots into these things, park the rest, and compute the state."""
        self.things = list(things)
        self.slots.clear()
        self.slots.rub(things, self.grip_friction)
        for slot, thing in enumerate(things):
            self.slots.become(slot, thing)
        posture = self.data.qpos.copy()
        mujoco.mj_setConst(self.model, self.data)  # leaves the model's own initial pose behind
        self.data.qpos[:] = posture
        for slot in range(self.config.objects):
            if slot < len(things):
                self._put(slot, positions[slot], quaternions[slot])
            else:
                self._put(slot, np.array(PARKED) - (0, 0, slot), np.array([1.0, 0, 0, 0]))
        self.refresh()

    def refresh(self) -> None:
        """Compute everything from the edited model, what sleeps and stands still included."""
        with self._awake():
            mujoco.mj_forward(self.model, self.data)

    def relight(self) -> None:
        """Put the lamps where the edited model has them; nothing else moves."""
        with self._awake():
            mujoco.mj_camlight(self.model, self.data)

    @contextmanager
    def _awake(self) -> Iterator[None]:
        sleep = mujoco.mjtEnableBit.mjENBL_SLEEP.value
        self.model.opt.enableflags &= ~sleep
        yield
        self.model.opt.enableflags |= sleep

    def touchable(self, arm: bool) -> None:
        """Whether things can touch the arm. While a bin is being filled they fall through it: a
        real arm would wait aside."""
        bits = (GRIPPER, HIT_ALL) if arm else (0, 0)
        model, bodies = self.model, self.model.geom_bodyid[self._solid_arm]
        model.geom_contype[self._solid_arm], model.geom_conaffinity[self._solid_arm] = bits
        # A body's bits are those of its geoms, or-ed; MuJoCo looks at them first.
        model.body_contype[bodies], model.body_conaffinity[bodies] = bits

    def put(self, slot: int, position: Array, quaternion: Array) -> None:
        """Move one object by hand: at rest, at a new pose."""
        self._put(slot, position, quaternion)
        self.refresh()

    def _put(self, slot: int, position: Array, quaternion: Array) -> None:
        row, dof = self._qpos[slot], self._dof[slot]
        self.data.qpos[row : row + 3], self.data.qpos[row + 3 : row + 7] = position, quaternion
        self.data.qvel[dof : dof + 6] = 0.0
