"""What a routine asks of the other nodes: ways, fingers, pictures, judgement.

Blocking, for a thread of its own beside the executor's; what does not come ends in `Interrupted`.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.task import Future
from regrasp_msgs.action import MoveTo
from regrasp_msgs.msg import GuardState
from regrasp_msgs.srv import Judge

from calibration import Cell
from policy.experience.episode import Verdict

from .body import Body
from .episode.routine import SETTLE_S, Frames, Interrupted
from .pictures import Eyes, Frame, message_of
from .verdicts import verdict_of
from .wiring import LATCHED, now_ns, stamp

Array = npt.NDArray[np.float64]
SILENCE_S = 2.0  # of the guard
ANSWER_S = 60.0
LOOK_S = 0.02  # how often a wait looks whether it was told to end


class Reach:
    def __init__(self, node: Node, cell: Cell, cameras: Sequence[str]) -> None:
        self.node, self.cell = node, cell
        self.stopping = threading.Event()
        self.guard: GuardState | None = None
        self._heard = time.monotonic()
        specs = cell.interface(cameras).observation.images
        self._eyes, self._body = Eyes(node, cell, specs), Body(node, cell)
        self._mover = ActionClient(node, MoveTo, "/guard/move_to")
        self._judges = node.create_client(Judge, "/reward/judge")
        node.create_subscription(GuardState, "/guard/state", self._on_guard, LATCHED)

    def _on_guard(self, message: GuardState) -> None:
        self.guard, self._heard = message, time.monotonic()

    @property
    def guard_silent(self) -> bool:
        return time.monotonic() - self._heard > SILENCE_S

    def move(
        self, pose: Array, aperture: float | None = None, speed: float = 0.0,
        lean: Sequence[float] = (0.0, 0.0),
    ) -> None:  # fmt: skip
        width = math.nan if aperture is None else aperture
        goal = MoveTo.Goal(speed=speed, aperture=width)
        goal.lean_x, goal.lean_y = (float(v) for v in lean)
        self._go(pose, goal)

    def push(self, pose: Array, speed: float) -> None:
        """As far as it goes."""
        self._go(pose, MoveTo.Goal(speed=speed, aperture=math.nan, yields=True))

    def _go(self, pose: Array, goal: MoveTo.Goal) -> None:
        self._await_hands_off()
        goal.position.x, goal.position.y, goal.position.z, goal.yaw = (float(v) for v in pose)
        result = self.act(self._mover, goal, "guard")
        if not result.reached:
            raise Interrupted(f"guard: {result.message}")

    def _await_hands_off(self) -> None:
        """Who ended an episode by hand still holds the switch then."""
        if self.guard is not None and self.guard.human:
            self.node.get_logger().info("waits until the person lets go")
        self.until(lambda: self.guard is None or not self.guard.human, "", math.inf)

    def pose(self) -> Array:
        if self._body.pose is None:
            raise Interrupted("nothing was heard of the arm's pose")
        return self._body.pose

    def aperture(self) -> float:
        if self._body.aperture is None:
            raise Interrupted("nothing was heard of the gripper")
        return self._body.aperture

    def pictures(self) -> Frames:
        after, names = now_ns(self.node) + round(SETTLE_S * 1e9), list(self._eyes.specs)

        def fresh() -> bool:
            return all((self._eyes.newest_ns(name) or 0) > after for name in names)

        self.until(fresh, "a camera shows nothing new")
        frames = {name: self._eyes.frame(name, self._eyes.newest_ns(name) or 0) for name in names}
        return {name: frame for name, frame in frames.items() if frame is not None}

    @property
    def clip(self) -> Mapping[str, Frame]:
        """By camera: moments of the attempt, for who judges it."""
        return {}

    def judge(
        self, before: Frames, after: Frames, empty: bool = False, episode_id: str = ""
    ) -> list[Verdict]:
        now = stamp(now_ns(self.node))
        request = Judge.Request(episode_id=episode_id, empty=empty)
        request.before = [message_of(name, frame, now) for name, frame in before.items()]
        request.after = [message_of(name, frame, now) for name, frame in after.items()]
        request.clip = [message_of(name, f, now) for name, some in self.clip.items() for f in some]
        if not self._judges.wait_for_service(ANSWER_S):
            raise Interrupted("nobody offers /reward/judge")
        answer = self.answer(self._judges.call_async(request), "reward")
        if answer.problem:
            raise Interrupted(f"reward: {answer.problem}")
        return [verdict_of(message) for message in answer.verdicts]

    # Waiting ------------------------------------------------------------------------------------

    def act(self, client: ActionClient, goal: Any, who: str) -> Any:
        if not client.wait_for_server(ANSWER_S):
            raise Interrupted(f"{who}: nobody is there")
        handle = self.answer(client.send_goal_async(goal), who)
        if not handle.accepted:
            raise Interrupted(f"{who}: the goal was refused")
        try:
            return self.answer(handle.get_result_async(), who).result
        except Interrupted:
            handle.cancel_goal_async()
            raise

    def answer(self, future: Future, who: str) -> Any:
        self.until(future.done, f"{who} did not answer")
        return future.result()

    def until(self, met: Callable[[], bool], otherwise: str, seconds: float = ANSWER_S) -> None:
        until = time.monotonic() + seconds
        while not met():
            if self.stopping.wait(LOOK_S):
                raise Interrupted("told to stop")
            if self.guard_silent:
                raise Interrupted(f"nothing was heard of the guard for {SILENCE_S:.0f} s")
            if time.monotonic() > until:
                raise Interrupted(f"{otherwise} for {seconds:.0f} s")
