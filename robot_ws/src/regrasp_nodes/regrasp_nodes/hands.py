"""The episodes' hands: a reach that also plays a rollout, and says where the cell is."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rclpy.action import ActionClient
from rclpy.node import Node
from regrasp_msgs.action import ResetCell
from regrasp_msgs.msg import EpisodeState, ExecutedStep, GuardState
from regrasp_msgs.msg import Observation as Seen

from calibration import Cell
from policy.contract import Interface, decode_json
from policy.experience.episode import Action, Driver, EpisodeInfo, Observation, Verdict
from policy.experience.errors import MISTAKES

from .episode.recorder import Recorder, Rollout
from .episode.routine import STAND_S, Frames, Interrupted, Phase
from .pictures import Frame, picture_of
from .reach import LOOK_S, SILENCE_S, Reach
from .wiring import KEPT, LATCHED, nanoseconds, now_ns, stamp

STILL = np.array([1e-3, 1e-3, 1e-3, 5e-3])  # m, rad: less is noise


class RosHands(Reach):
    def __init__(
        self, node: Node, cell: Cell, log: Path, cameras: Sequence[str], source: str, task: str
    ) -> None:
        super().__init__(node, cell, cameras)
        self._log, self._source, self._task = log, source, task
        self._resetter = ActionClient(node, ResetCell, "/reset/reset_cell")
        self._told = node.create_publisher(EpisodeState, "/episode/state", LATCHED)
        self.state = EpisodeState()
        self._lock = threading.Lock()
        self._recorder: Recorder | None = None  # of the rollout under way
        self._played: Recorder | None = None
        self._moved = time.monotonic()  # the rollout, last
        node.create_subscription(Seen, "/policy/observation", self._on_seen, KEPT)
        node.create_subscription(ExecutedStep, "/guard/executed", self._on_executed, KEPT)

    # What comes in, in the executor's thread -----------------------------------------------------

    def _on_guard(self, message: GuardState) -> None:
        super()._on_guard(message)
        if message.mode == GuardState.STOPPED:
            self.end(f"the guard stopped: {message.reason}")

    def _on_executed(self, m: ExecutedStep) -> None:
        action = Action(
            np.asarray(m.executed_action, np.float32), Driver(m.driver), _given(m.policy_action),
            _given(m.human_action), m.q, m.policy_version, m.observation_age,
            nanoseconds(m.header.stamp),
        )  # fmt: skip
        with self._lock:
            if self._recorder is not None and m.episode_id == self.state.episode_id:
                self._recorder.executed(m.step, action)

    def _on_seen(self, message: Seen) -> None:
        with self._lock:
            recorder = self._recorder
            if recorder is None or message.episode_id != self.state.episode_id:
                return
            self._moved = time.monotonic()
            try:
                interface = None
                if message.interface:
                    interface = decode_json(Interface, message.interface, "/policy/observation")
                images = {m.header.frame_id: picture_of(m) for m in message.images}
                seen = Observation(
                    images, np.asarray(message.proprio, np.float32),
                    nanoseconds(message.header.stamp),
                )  # fmt: skip
                recorder.observed(message.step, seen, message.last, interface)
            except MISTAKES as error:
                self.node.get_logger().error(str(error))
                recorder.end(str(error))

    def end(self, problem: str) -> None:
        """Break the rollout off, if there is one."""
        with self._lock:
            if self._recorder is not None:
                self._recorder.end(problem)

    # What the routine asks, in its own ----------------------------------------------------------

    def say(self, phase: Phase, detail: str = "") -> None:
        self.state.phase, self.state.detail = int(phase), detail
        self.state.header.stamp = stamp(now_ns(self.node))
        self._told.publish(self.state)

    def reset(self, stir: bool) -> None:
        result = self.act(self._resetter, ResetCell.Goal(stir=stir), "reset")
        if not result.done:
            raise Interrupted(f"reset: {result.message}")

    def stand(self) -> None:
        at, since = self.pose(), now_ns(self.node)

        def stood() -> bool:
            nonlocal at, since
            here, now = self.pose(), now_ns(self.node)
            if (np.abs(here - at) > STILL).any():
                at, since = here, now
            return now - since > STAND_S * 1e9

        self.until(stood, "the arm did not come to rest")

    def judge(
        self, before: Frames, after: Frames, empty: bool = False, episode_id: str = ""
    ) -> list[Verdict]:
        return super().judge(before, after, empty, episode_id or self.state.episode_id)

    @property
    def clip(self) -> Mapping[str, Frame]:
        return self._played.clip if self._played is not None else {}

    def rollout(self) -> Rollout:
        done = threading.Event()
        recorder = Recorder(self._log, self._info, done.set)
        with self._lock:
            self._recorder, self._moved = recorder, time.monotonic()
        self.say(Phase.ROLLOUT)  # now that it would be written down
        while not done.wait(LOOK_S):
            if self.stopping.is_set():
                self.end("told to stop")
            elif time.monotonic() - self._moved > SILENCE_S:
                self.end(f"nothing was heard of the policy for {SILENCE_S:.0f} s")
            elif self.guard_silent:
                self.end(f"nothing was heard of the guard for {SILENCE_S:.0f} s")
        with self._lock:
            self._recorder, self._played = None, recorder
        assert recorder.rollout is not None
        return recorder.rollout

    def take_recorder(self) -> Recorder | None:
        """The one of the last rollout, once."""
        recorder, self._played = self._played, None
        return recorder

    def _info(self, interface: Interface) -> EpisodeInfo:
        return EpisodeInfo(
            interface, self._source, self._task, self.cell.id, self.cell.fingerprint,
            episode_id=self.state.episode_id,
        )  # fmt: skip

    def await_guard(self) -> bool:
        """Until it is ready; whether a person had to arm it."""
        waited = False
        while (heard := None if self.guard_silent else self.guard) is None or (
            heard.mode != GuardState.READY
        ):
            why = "the guard" if heard is None else heard.reason
            if self.state.phase != Phase.WAITING or self.state.detail != why:
                self.say(Phase.WAITING, why)
            waited = True
            if self.stopping.wait(LOOK_S):
                raise Interrupted("told to stop")
        return waited


def _given(values: object) -> npt.NDArray[np.float32] | None:
    """A message's vector; None if it is empty."""
    array = np.asarray(values, np.float32)
    return array if array.size else None
