"""The whole cell on the twin in lockstep, without ROS: the nodes' own parts, called in turn.

The guard, the routine of an episode, its record, the detectors and the policy are those of the
nodes; what is missing is the wire and the wall clock. So an hour of the cell takes minutes, and
goes the same way twice.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from regrasp_nodes.episode.acting import explored, proprioception
from regrasp_nodes.episode.recorder import Recorder, Rollout
from regrasp_nodes.episode.resetting import STIR_AFTER, Resetting
from regrasp_nodes.episode.routine import (
    SETTLE_S,
    STAND_S,
    Frames,
    Interrupted,
    Phase,
    Places,
    Routine,
)
from regrasp_nodes.guard import Step

from calibration import load_cell
from calibration.geometry import bin_mask
from policy.contract import ImageSpec, Interface, Invalid
from policy.contract.depth import depth_bytes
from policy.experience.episode import (
    Action,
    EpisodeInfo,
    Observation,
    Verdict,
    success,
)
from policy.feed import FloatArray, batch_of_one
from policy.serving.host import Host
from reward.detector import Setup
from reward.panel import Panel
from sim.config import ObjectConfig
from sim.env import TWIN
from sim.twin import Frame, TwinConfig
from sim.twin.feed import FeedConfig

from .driven import Driven

Array = npt.NDArray[np.float64]
DECIDES = 0.04  # s, from looking to what the guard is told: as measured under ROS
WAY, FINGERS = 20.0, 3.0  # s at most
STEPS = 20  # actions an episode, at most
JUDGE = "front"
EMPTY_CYCLES = 3


@dataclass
class Played:
    """`truth` is what was in the hand before it let go, by the simulator."""

    judged: bool | None
    truth: bool
    steps: int
    version: str
    problem: str = ""


@dataclass
class Told:
    """What the policy sees, and when the older of it was taken."""

    frames: dict[str, npt.NDArray[np.uint8]]
    proprio: FloatArray
    captured_ns: int


def frame_of(frame: Frame, spec: ImageSpec) -> npt.NDArray[np.uint8]:
    if spec.depth is None:
        assert frame.picture is not None
        return frame.picture
    assert frame.depth is not None
    return depth_bytes(frame.depth * np.float32(1e-3), spec.depth)


class LockstepCell(Driven):
    """Plays episodes in a room, of so many steps at most; `explore` is the share that strays."""

    def __init__(
        self, host: Host, log: Path, room: str | None, seed: int, explore: float, folder: Path,
        objects: ObjectConfig | None = None, steps: int = STEPS,
    ) -> None:  # fmt: skip
        cell = load_cell(TWIN)
        interface = host.interface
        seen = [image.name for image in interface.observation.images]
        config = TwinConfig(
            mode="lockstep", seed=seed, preset=room, cameras=(*seen, JUDGE),
            feed=FeedConfig(drop=0.0), objects=objects or TwinConfig().objects,
        )  # fmt: skip
        super().__init__(cell, config)
        self.host, self.interface = host, interface
        self._log, self._explore, self._seed, self._number = log, explore, seed, 0
        self._most = steps
        self._random = np.random.default_rng([seed, 3])
        self._panel = Panel(
            ["subtraction"], Setup({JUDGE: bin_mask(cell.cameras[JUDGE], cell.bin)}, folder)
        )
        places = Places.of(cell)
        self._routine = Routine(self, places, np.random.default_rng([seed, 4]))
        self._resetting = Resetting(self, places, np.random.default_rng([seed, 5]))
        self._episode, self._recorder = "", Recorder(log, self._info, lambda: None)
        self._held, self._steps, self._failures = False, 0, 0
        self.counts: Counter[str] = Counter()
        # What a person wants in a step; None: the dead-man's switch is not held.
        self.person: Callable[[int], FloatArray | None] = lambda index: None
        log.mkdir(parents=True, exist_ok=True)
        self.twin.advance(0.05)
        self.sense()
        self.arm_it()

    def calibrate(self) -> None:
        self._routine.learn_noise(EMPTY_CYCLES)

    def play(self) -> Played:
        """An episode from reset to record."""
        self._number += 1
        self._episode, verdicts, problem = f"e{self._seed}-{self._number}", list[Verdict](), ""
        self._recorder = Recorder(self._log, self._info, lambda: None)
        self._held, self._steps = False, 0
        stir = self._failures >= STIR_AFTER
        try:
            rollout = self._routine.grasp(stir)
            problem = rollout.problem
            if rollout.over:
                verdicts = self._routine.judge()
        except Interrupted as error:
            problem = str(error)
        self._recorder.store(verdicts)
        if problem:
            self.counts[f"broken off: {problem}"] += 1
            self.arm_it()
        judged = success(verdicts)
        self._failures = 0 if judged or stir else self._failures + 1
        return Played(judged, self._held, self._steps, self.host.version, problem)

    # What the routine asks ----------------------------------------------------------------------

    def say(self, phase: Phase, detail: str = "") -> None:
        if phase == Phase.PICTURE_BEFORE:
            self._held = self.twin.truth().held is not None

    def reset(self, stir: bool) -> None:
        problem, _ = self._resetting.ready(stir)
        if problem:
            raise Interrupted(f"reset: {problem}")

    def stand(self) -> None:
        self.wait(STAND_S)

    def push(self, pose: Array, speed: float) -> None:
        self._go(pose, speed, yields=True)

    def move(self, pose: Array, aperture: float | None = None) -> None:
        self._go(pose)
        if aperture is not None:
            self.guard.grip(aperture)
            self.wait(0.1)
            until = self.now + round(FINGERS * 1e9)
            while self.claw is not None and not (self.claw.reached or self.claw.stalled):
                self.tick()
                if self.now > until:
                    break

    def _go(self, pose: Array, speed: float = 0.0, yields: bool = False) -> None:
        self._unstopped()
        try:
            self.guard.move(np.asarray(pose), speed, self.now, yields=yields)
        except Invalid as error:
            raise Interrupted(str(error)) from error
        until = self.now + round(WAY * 1e9)
        while not self.guard.arrived():
            self.tick()
            self._unstopped()
            if self.guard.moving() is None or self.now > until:
                raise Interrupted("the way was given up")

    def aperture(self) -> float:
        assert self.claw is not None
        return self.claw.width

    def pictures(self) -> Frames:
        after = self.now + round(SETTLE_S * 1e9)
        while True:
            self.tick()
            frame = self.twin.cameras[JUDGE].latest() if self.now > after else None
            if frame is not None and frame.picture is not None and frame.captured_ns > after:
                return {JUDGE: frame.picture}

    def judge(self, before: Frames, after: Frames, empty: bool = False) -> list[Verdict]:
        if empty:
            self._panel.learn(before, after)
            return []
        return self._panel.judge(before, after, self._recorder.clip)

    def rollout(self) -> Rollout:
        recorder, spec = self._recorder, self.interface.observation
        nothing = np.zeros(len(self.interface.action), np.float32)
        past: list[FloatArray] = [nothing] * max(spec.action_window, 1)
        for index in range(self._most + 1):
            due = self.now + round(self.interface.control_period_s * 1e9)
            told = self._look()
            last = index == self._most
            seen = Observation(told.frames, told.proprio, told.captured_ns)
            recorder.observed(index, seen, last, self.interface if index == 0 else None)
            self._steps = index
            if recorder.rollout is not None:
                break
            past.append(self._act(index, told, past))
            while self.now < due:
                self.tick()
            if self.guard.stopped:
                recorder.end(f"the guard stopped: {self.guard.stopped}")
        self.guard.human(False, nothing, self.now)
        assert recorder.rollout is not None
        return recorder.rollout

    def _look(self) -> Told:
        frames, oldest = {}, self.now
        for spec in self.interface.observation.images:
            frame = self.twin.cameras[self.cell.camera_of(spec.name)].latest()
            assert frame is not None
            frames[spec.name], oldest = frame_of(frame, spec), min(oldest, frame.captured_ns)
        entries = self.interface.observation.proprio
        proprio = proprioception(self.cell, entries, self.pose(), self.aperture())
        return Told(frames, proprio, oldest)

    def _act(self, index: int, told: Told, past: Sequence[FloatArray]) -> FloatArray:
        window, limits = self.interface.observation.action_window, self.guard.allowed()[None]
        feed = batch_of_one(told.frames, told.proprio, np.stack(past)[-window:] if window else None)
        seed = zlib.crc32(f"{self._episode} {index}".encode())
        decision, nothing = self.host.act(feed, limits, [seed]), self.guard.limits.nothing
        action = explored(
            decision.action[0], self.interface.action, limits, self._explore, self._random
        )
        self.wait(DECIDES)
        wanted = self.person(index)
        if wanted is not None or self.guard.human_drives(self.now):
            self.guard.human(wanted is not None, nothing if wanted is None else wanted, self.now)
        q, age = float(decision.q[0]), (self.now - told.captured_ns) * 1e-9
        step = Step(self._episode, index, action, told.captured_ns, q, age, decision.version)
        done = self.guard.step(step, self.now)
        self._recorder.executed(
            index,
            Action(
                done.executed, done.driver, done.policy, done.human, q, decision.version, age,
                self.now,
            ),
        )  # fmt: skip
        return done.executed

    def _info(self, interface: Interface) -> EpisodeInfo:
        return EpisodeInfo(
            interface, "online", "grasp", self.cell.id, self.cell.fingerprint,
            episode_id=self._episode,
        )  # fmt: skip

    def _unstopped(self) -> None:
        if self.guard.stopped:
            raise Interrupted(self.guard.stopped)
