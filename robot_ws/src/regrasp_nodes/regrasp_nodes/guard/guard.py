"""Who is followed, what of it is allowed, and when nothing is: the only way to the arm.

    guard = Guard(cell)
    guard.arm(now)
    done = guard.step(step, now)        # once a control period: what the arm was given, and why
    command = guard.tick(now)           # at 100 Hz: where the tool should be, and how fast

Times are nanoseconds of one clock. Two ways of standing still: *holding* ends by itself when what
was missing is there again; *stopped* lasts until a person arms the guard again. Whatever a robot's
own controller calls a fault stops it, and is never cleared from here.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from calibration import Cell
from policy.contract import Invalid
from policy.experience.episode import Driver

from .limits import Limits
from .people import People
from .reference import Motion
from .tool import Tool
from .values import Array, Command, Done, FloatArray, Patience, Sensed, Step

NOT_ARMED = "not armed yet"
JUMP_NS = 250_000_000  # between two ticks: the clock jumped, or we were starved
GRACE_NS = 30_000_000  # that an action may be late; then the arm brakes
# Steps that the last goal may be ahead of where the arm is, latency aside: a blocked arm must not
# wind up. As in training, where actions go on from the commanded pose, too.
LEASH = 0.6
HELD_BACK = 3.0  # steps; further off, it is not the goal that is too far but the arm that is held
YIELDS = np.array([0.008, 0.008, 0.008, 0.05])  # m, rad: held back so far, a way that yields ends
# m, rad: as far out of the workspace, and as far from upright, it is not put in motion. More is no
# arm's inaccuracy: somebody moved it there, or its frames are not what they should be.
OUTSIDE, AWRY = np.array([0.03, 0.03, 0.03, 0.2]), 0.1


class Guard:
    """`lean`: how far (rad) the tool may be told to lean from straight down."""

    def __init__(
        self, cell: Cell, motion: Motion | None = None, patience: Patience | None = None,
        lean: float = 0.0,
    ) -> None:  # fmt: skip
        self.limits, self.patience = Limits(cell), patience or Patience()
        self.counts: Counter[str] = Counter()
        self._period = cell.control.period.value
        step, turn = cell.control.max_step.value, cell.control.max_yaw_step.value
        largest = np.array([step, step, step, turn])
        self._largest = largest
        self._leash = (LEASH + cell.latency.command.mean.value / self._period) * largest
        self._astray = HELD_BACK * largest
        self._widths = cell.gripper.aperture.value
        self._tool = Tool(cell, motion or Motion.of(cell), lean)
        self.stopped: str | None = NOT_ARMED
        self.holding: str | None = "no pose of the arm yet"
        self._armed_ns = self._ticked_ns = self._due_ns = 0
        self._sensed: Sensed | None = None
        self._people = People(self.patience.human)
        self._width: float | None = None  # what the fingers were told
        self._grip: float | None = None  # what they are to be told
        self._move: Array | None = None
        self._speed, self._yields = np.inf, False  # of that

    # What others say ----------------------------------------------------------------------------

    def sense(self, sensed: Sensed) -> None:
        """Where the arm says it is."""
        first, self._sensed = self._sensed is None, sensed
        self._tool.sense(sensed)
        if first:
            self._stand(sensed)

    def stop(self, why: str) -> None:
        """At once, and until `arm`. The first reason is kept."""
        self._move = None
        if self.stopped is None:
            self.stopped = why
            self.counts["stops"] += 1
            self._tool.reference.rest()

    def arm(self, now_ns: int, arm_fault: str | None = None) -> None:
        """A person says that it may move. Raises what speaks against it."""
        against = arm_fault or self._missing(now_ns) or self._misplaced()
        if against is not None:
            raise Invalid("arm", against, "an arm that is ready", "mend that first, then arm again")
        assert self._sensed is not None
        self.stopped, self._armed_ns = None, now_ns
        self.forget_grip()  # whoever was at it may have moved the fingers, too
        self._tool.begin(self._sensed)
        self._move = None

    def _misplaced(self) -> str | None:
        assert self._sensed is not None
        pose = self._sensed.pose
        out = np.abs(pose - self.limits.inside(pose))
        if (out > OUTSIDE).any():
            return f"the tool is {out[:3].max():.2f} m, {out[3]:.2f} rad outside of the workspace"
        if (lean := float(np.linalg.norm(self._sensed.lean))) > self._tool.lean.most + AWRY:
            return f"the tool leans {lean:.2f} rad from straight down"
        return None

    def human(
        self, engaged: bool, action: npt.NDArray[np.generic], now_ns: int, device: str = ""
    ) -> None:
        """What a person wants; without the dead-man's switch, nothing."""
        drove = self.human_drives(now_ns)
        if not engaged:
            self._people.release(device)
        elif self.limits.sound(action) is not None:
            self.counts["unsound human actions"] += 1
            self._people.hold(device, self.limits.nothing, now_ns)
        else:
            self._people.hold(device, action.astype(np.float32), now_ns)
        drives = self.human_drives(now_ns)
        if drove != drives:  # what the other had in mind ends here
            self._tool.reference.rest()
            self.counts["hand-overs"] += 1
            if drives:
                self._move = None

    def human_drives(self, now_ns: int) -> bool:
        return self._people.wish(now_ns) is not None

    # A control period ---------------------------------------------------------------------------

    def step(self, step: Step, now_ns: int) -> Done:
        """Follow the person, else the policy, within what is allowed; say what was done."""
        reasons: list[str] = []
        policy = self._policy_action(step, reasons)
        human = self._people.wish(now_ns)
        against = self.stopped or self._missing(now_ns) or self._busy()
        wanted, driver = None, Driver.NOBODY
        if against is not None:
            reasons.append(against)
        elif human is not None:
            wanted, driver = human, Driver.HUMAN
        elif policy is not None:
            age = (now_ns - step.captured_ns) * 1e-9
            if not 0 <= age <= self.patience.picture:
                self.counts["stale pictures"] += 1
                reasons.append(f"the picture is {age:.3f} s old")
            else:
                wanted, driver = policy, Driver.POLICY
        if wanted is None:
            self.counts["steps without anybody"] += 1
            return Done(step, driver, policy, human, self.limits.nothing, tuple(reasons))
        self._due_ns = now_ns + round(self._period * 1e9)
        return Done(step, driver, policy, human, self._execute(wanted, reasons), tuple(reasons))

    def _policy_action(self, step: Step, reasons: list[str]) -> FloatArray | None:
        if not step.action.size:
            return None
        problem = self.limits.sound(step.action)
        if problem is not None:
            self.counts["unsound policy actions"] += 1
            reasons.append(problem)
            return None
        return step.action.astype(np.float32)

    def _execute(self, wanted: FloatArray, reasons: list[str]) -> FloatArray:
        base = self.commanded()
        executed, cut = self.limits.within(wanted, base)
        if cut:
            self.counts["clipped actions"] += 1
            reasons.append(f"clipped: {', '.join(cut)}")
        wish = self.limits.wish(executed)
        self._tool.reference.go(base + wish.by, self._period)
        self._tool.lean.go(np.zeros(2))
        if wish.close != wish.open:  # both at once say nothing
            self.grip(self._widths[0] if wish.close else self._widths[1])
        return executed

    def commanded(self) -> Array:
        """Where the last action leads: the next one goes on from there. Kept near where the arm
        is, so that a blocked one does not wind up; and in the workspace, but where that is more
        than a step away: then the way back is all that is allowed."""
        goal = self._tool.reference.goal
        if self._sensed is not None:
            goal = np.clip(goal, self._sensed.pose - self._leash, self._sensed.pose + self._leash)
        inside = self.limits.inside(goal)
        return inside if (np.abs(inside - goal) <= self._largest).all() else goal

    def allowed(self) -> FloatArray:
        return self.limits.allowed(self.commanded())

    # Scripted ways ------------------------------------------------------------------------------

    def move(
        self, goal: Array, speed: float, now_ns: int,
        lean: Array | tuple[float, float] = (0.0, 0.0), yields: bool = False,
    ) -> None:  # fmt: skip
        """Go there in a straight line; a way that `yields` is done where something holds the arm
        back. While it holds, it waits. Raises what speaks against it."""
        against = self.stopped
        if self._sensed is None:
            against = self._missing(now_ns)
        elif against is None and self.human_drives(now_ns):
            against = "a person drives"
        if against is not None:
            raise Invalid("move", against, "a guard that is ready", "see ~/state")
        off = np.abs(goal - self.limits.inside(goal)).max() if np.isfinite(goal).all() else np.inf
        if off > 1e-6:
            text = f"within {self.limits.low.round(3)} to {self.limits.high.round(3)}"
            raise Invalid("position", goal.round(3).tolist(), text, "stay in the cell's workspace")
        tilted = np.asarray(lean, float)
        self._tool.lean.check(tilted)
        self._tool.lean.go(tilted)
        self._move, self._yields, self._due_ns = goal, yields, 0
        self._speed = speed if speed > 0 else np.inf
        if self.holding is None:
            self._tool.reference.go(goal, speed=self._speed)

    def moving(self) -> float | None:
        """What is left of the way, m; None when there is none, or it was given up."""
        if self._move is None or self._sensed is None:
            return None
        return float(np.linalg.norm((self._move - self._sensed.pose)[:3]))

    def leaning_s(self) -> float:
        """How long the tool will take to lean as it was told."""
        return self._tool.lean.left_s

    def arrived(self) -> bool:
        """The scripted way is done; tells so once."""
        assert self._sensed is not None
        if self._move is None or not (self._tool.reference.reached and self._tool.lean.reached):
            return False
        off = np.abs(self._move - self._sensed.pose)
        tilt = np.abs(self._tool.lean.goal - self._sensed.lean)
        astray = off[:3].max() > 0.005 or max(off[3], *tilt) > 0.03
        if astray and not self._yields:
            return False
        self._move = None
        return True

    def give_up(self) -> None:
        self._move = None
        self._tool.reference.rest()

    def grip(self, width: float) -> None:
        width = float(np.clip(width, *self._widths))
        if width != self._width:
            self._width = self._grip = width

    def forget_grip(self) -> None:
        """They did not do it: who wants it again, is to be told again."""
        self._width = None

    def take_grip(self) -> float | None:
        """What the fingers are to be told, once."""
        grip, self._grip = self._grip, None
        return grip

    # A tick -------------------------------------------------------------------------------------

    def tick(self, now_ns: int) -> Command | None:
        """None: there is nothing to say to the arm, which then stands by its own watchdog."""
        passed, self._ticked_ns = now_ns - self._ticked_ns, now_ns
        if self._sensed is None:
            return None
        if not 0 < passed <= JUMP_NS:
            self.counts["clock jumps"] += 1
            self._stand(self._sensed)
            return None
        missing = self._missing(now_ns)
        if missing is not None and now_ns - self._sensed.stamp_ns > self.patience.lost * 1e9:
            self.stop(missing)
        if missing is not None and self.holding is None:
            self.counts["holds"] += 1
            self._tool.reference.rest()
        if missing is None and self.holding is not None and self._move is not None:
            self._tool.reference.go(self._move, speed=self._speed)
        self.holding = missing
        dt, holding = passed * 1e-9, missing is not None
        if self.stopped is not None:
            return self._tool.stay(dt, now_ns, self._sensed, holding)
        if 0 < self._due_ns < now_ns - GRACE_NS:
            self._due_ns = 0
            self._tool.reference.rest()
        ramp = (now_ns - self._armed_ns) * 1e-9 / self.patience.ramp
        share = float(np.clip(0.2 + 0.8 * ramp, 0.2, 1.0))  # a clock may have gone back
        command = self._tool.advance(dt, now_ns, self._sensed, share, holding)
        self._keep_near(self._sensed)
        if self._tool.deaf:
            self.stop("the arm was told to move, and its pose does not change at all")
        return command

    def _keep_near(self, sensed: Sensed) -> None:
        """An arm that is held back must not leap when it is let go."""
        yields = self._move is not None and self._yields
        if self._tool.held_back(sensed, YIELDS if yields else self._astray):
            self.counts["ways that yielded" if yields else "arm held back"] += 1
            self._stand(sensed)
            if yields:
                self._move = sensed.pose

    def _stand(self, at: Sensed) -> None:
        self._tool.stand(at)
        self._move = None

    def _missing(self, now_ns: int) -> str | None:
        if self._sensed is None:
            return "no pose of the arm yet"
        age = (now_ns - self._sensed.stamp_ns) * 1e-9
        if not -self.patience.pose <= age <= self.patience.pose:
            return f"the arm's pose is {age:.2f} s old"
        return None

    def _busy(self) -> str | None:
        return None if self._move is None else "a scripted way is under way"
