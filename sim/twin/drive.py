"""The twin's arm as a driver shows it: Cartesian commands in, encoder readings out, and the
protective stop that a robot's own controller makes. A stop latches: only `clear` ends it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import mujoco
import numpy as np
import numpy.typing as npt

from calibration.geometry import rotation
from calibration.rigid import turned
from policy.contract import Invalid

from ..bits import GRIPPER
from ..objects import quaternion
from ..parameters import Misfit
from ..world import World
from .armstate import ArmState, DriveConfig, Mode
from .follower import Follower
from .pace import Lag, Timeline
from .topic import Topic

Array = npt.NDArray[np.float64]
STALLED = 0.02  # rad/s
PATIENCE_S = 0.03  # a force must last as long before it counts


@dataclass(frozen=True)
class _Twist:
    velocity: Array


@dataclass(frozen=True)
class _Goal:
    position: Array
    turn: Array


@dataclass(frozen=True)
class _Step:
    by: Array
    yaw: float
    seconds: float


class ArmDriver:
    def __init__(
        self,
        world: World,
        config: DriveConfig,
        time: Timeline,
        seeds: Sequence[int],
        blocking: bool,
    ) -> None:
        self.config, self._world, self._time = config, world, time
        self._dt = world.config.timestep
        arm = world.cell.arm
        self._follower = Follower(
            world.kinematics, world.speed_limits, (arm.max_speed.value, arm.max_turn_rate.value),
            (config.acceleration, config.turn_acceleration), config.singular, self._dt,
        )  # fmt: skip
        self._random = np.random.default_rng([*seeds, 0])
        self._lag: Lag[_Twist | _Goal | _Step] = Lag(
            world.cell.latency.command, np.random.default_rng([*seeds, 1])
        )
        self.states: Topic[ArmState] = Topic("arm", blocking)
        self.mode: Mode = "ready"
        self.reason = ""
        self.lose, self.repeat = 0.0, False
        self._told: ArmState | None = None
        self.received = self.refused = self.lost = self.stale = 0
        self._grain = 2 * math.pi / 2**config.encoder_bits
        self._period = round(1e9 / config.rate)
        model = world.model
        self._efforts = np.array(
            [model.actuator(f"joint{i}").forcerange[1] for i in range(world.joints)]
        )
        servos = [model.actuator(f"joint{i}").id for i in range(world.joints)]
        self._damping = model.actuator_biasprm[servos, 2]  # N*m*s/rad, negative
        self._sequence, self._due_ns = 0, self._period
        self.reset(Misfit())

    # Commands, from any thread ------------------------------------------------------------------

    def twist(self, linear: Sequence[float] | Array, angular: Sequence[float] | Array) -> None:
        """m/s and rad/s in the base frame, until the next or until the watchdog ends it. What is
        too fast is slowed down, in the same direction."""
        velocity = np.concatenate([_vector("linear", linear, 3), _vector("angular", angular, 3)])
        arm = self._world.cell.arm
        for part, limit in ((velocity[:3], arm.max_speed), (velocity[3:], arm.max_turn_rate)):
            part *= min(1.0, limit.value / max(float(np.linalg.norm(part)), 1e-9))
        self._send(_Twist(velocity))

    def pose(self, position: Sequence[float] | Array, orientation: Sequence[float] | Array) -> None:
        """Go there in a straight line and stay; orientation x, y, z, w."""
        q = _vector("orientation", orientation, 4)
        if abs(float(np.linalg.norm(q)) - 1) > 0.01:
            raise Invalid("orientation", tuple(q), "a unit quaternion x, y, z, w", "normalise it")
        turn = rotation((float(q[0]), float(q[1]), float(q[2]), float(q[3])))
        self._send(_Goal(_vector("position", position, 3), turn))

    def displace(self, by: Sequence[float] | Array, yaw: float, seconds: float) -> None:
        """Go on from the last goal by so much, in so many seconds. Displacements add up."""
        if not (math.isfinite(yaw) and 0 < seconds < math.inf):
            raise Invalid("seconds", (yaw, seconds), "a finite yaw, a positive time", "correct it")
        self._send(_Step(_vector("by", by, 3), yaw, seconds))

    def emergency_stop(self) -> None:
        with self._time.lock:
            self._stop("emergency_stop", "emergency stop pressed")

    def release(self) -> None:
        """Pull the emergency button out again. The arm still stands until `clear`."""
        with self._time.lock:
            if self.mode == "emergency_stop":
                self.mode, self.reason = "protective_stop", "emergency stop released, not cleared"

    def clear(self) -> None:
        """End a protective stop. What caused it will cause the next, if it is still there."""
        with self._time.lock:
            if self.mode == "emergency_stop":
                raise RuntimeError("arm.clear: the emergency stop is pressed: call release first")
            self._lag.clear()
            self._follower.halt(self._world.angles)
            self.mode, self.reason = "ready", ""

    def _send(self, command: _Twist | _Goal | _Step) -> None:
        self.states.check()
        with self._time.lock:
            if self._random.random() < self.lose:
                self.lost += 1
                return
            self._lag.send(self._time.now_ns, command)

    # The controller, in the twin's own thread ---------------------------------------------------

    def reset(self, misfit: Misfit) -> None:
        """Stand where the world's arm stands. `misfit`: where the arm believes it is."""
        self._lag.clear()
        self._shift, self._yaw_shift = np.array(misfit.shift), turned(np.array([0, 0, misfit.yaw]))
        self._follower.halt(self._world.setpoint)
        self._fresh_until = 0
        self._heavy, self._strained = 0.0, np.zeros(self._world.joints)
        self._read_ns = 0
        self._read: Array | None = None
        self._rates = self._world.rates

    def tick(self, now_ns: int) -> None:
        """Decide the setpoint of the tick that begins at `now_ns`."""
        world, follower = self._world, self._follower
        for command in self._lag.receive(now_ns):
            self._take(command, now_ns)
        if now_ns >= self._fresh_until and follower.wish.any():
            follower.follow(np.zeros(6))
            self.stale += 1
        if self.mode == "ready":
            force = self.contact_force()
            reason = self._overload(force) or follower.advance(self._giving_way(force))
            if reason:
                self._stop("protective_stop", reason)
        world.move(follower.angles, self._dt)
        self._rates = world.rates

    def _take(self, command: _Twist | _Goal | _Step, now_ns: int) -> None:
        if self.mode != "ready":
            self.refused += 1
            return
        self.received += 1
        follower = self._follower
        if isinstance(command, _Twist):
            follower.follow(command.velocity)
            self._fresh_until = now_ns + round(self.config.watchdog * 1e9)
        elif isinstance(command, _Goal):
            follower.go(command.position - self._shift, self._yaw_shift.T @ command.turn)
        else:
            place, turn = follower.goal or (follower.position, follower.turn)
            yaw = turned(np.array([0, 0, command.yaw]))
            follower.go(place + command.by, yaw @ turn, command.seconds)

    def _stop(self, mode: Mode, reason: str) -> None:
        if self.mode != "emergency_stop":
            self.mode, self.reason = mode, reason
            self._follower.halt(self._world.angles)
            self._heavy, self._strained = 0.0, np.zeros(self._world.joints)

    def _giving_way(self, force: Array) -> Array:
        """The velocity with which the setpoint follows what pushes."""
        size = math.hypot(*force)
        excess = max(size - self.config.yield_force, 0.0)
        way: Array = force * (excess / (self.config.give * max(size, 1e-9)))
        return way

    def _overload(self, contact: Array) -> str | None:
        world, config = self._world, self.config
        off = np.abs(world.setpoint - world.angles)
        if off.max() > config.deviation:
            joint = int(off.argmax())
            return f"deviation: joint {joint} is {off[joint]:.3f} rad off its setpoint"
        pushing = (np.abs(world.torques) > 0.98 * self._efforts) & (np.abs(world.rates) < STALLED)
        self._strained = (self._strained + self._dt) * pushing
        if self._strained.max() > config.strain:
            joint = int(self._strained.argmax())
            return f"torque: joint {joint} pushes with {self._efforts[joint]:.1f} N*m in vain"
        force = math.hypot(*contact)
        self._heavy = self._heavy + self._dt if force > config.contact_force else 0.0
        if self._heavy >= PATIENCE_S:
            return f"contact: {force:.0f} N on the gripper, {config.contact_force:.0f} allowed"
        return None

    def contact_force(self) -> Array:
        """What pushes on arm and gripper together, N in the base frame; a squeeze cancels out."""
        model, data = self._world.model, self._world.data
        total = np.zeros(3)
        if not data.ncon:
            return total
        ours = (model.geom_contype[data.contact.geom[: data.ncon]] & GRIPPER) != 0
        sign = ours[:, 1].astype(float) - ours[:, 0]
        wrench = np.zeros(6)
        for number in np.flatnonzero(sign):
            mujoco.mj_contactForce(model, data, number, wrench)
            total += sign[number] * (data.contact.frame[number].reshape(3, 3).T @ wrench[:3])
        return total

    # Readings -----------------------------------------------------------------------------------

    def _pushed(self) -> Array:
        """What the servos pushed in the last step. The integrator takes their damping at the step's
        end, MuJoCo tells it at its beginning: to whoever weighs torque against motion that looks
        like heavier joints."""
        found: Array = self._world.torques + self._damping * (self._world.rates - self._rates)
        return found

    def read(self, now_ns: int) -> ArmState | None:
        """Read the encoders, if it is time."""
        if now_ns < self._due_ns:
            return None
        self._due_ns += self._period
        self._sequence += 1
        if self.repeat and self._told is not None:
            return replace(self._told, stamp_ns=now_ns, sequence=self._sequence - 1)
        world = self._world
        angles = np.round(world.angles / self._grain) * self._grain
        before = angles if self._read is None else self._read
        velocities = (angles - before) / (max(now_ns - self._read_ns, 1) * 1e-9)
        self._read, self._read_ns = angles, now_ns
        place, turn = world.kinematics.pose(angles)
        w, x, y, z = quaternion(self._yaw_shift @ turn)
        self._told = ArmState(
            now_ns, self._sequence - 1, angles, velocities, self._pushed(), place + self._shift,
            np.array([x, y, z, w]), self.contact_force(), self.mode, self.reason,
        )  # fmt: skip
        return self._told


def _vector(field: str, values: Sequence[float] | Array, count: int) -> Array:
    found = np.array(values, float)
    if found.shape != (count,) or not np.isfinite(found).all():
        raise Invalid(field, values, f"{count} finite numbers", "correct the command")
    return found
