"""The guard's scripted ways, as an action: along a line, then the fingers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.action import ActionServer, CancelResponse
from rclpy.node import Node
from rclpy.task import Future
from regrasp_msgs.action import MoveTo

from policy.contract import Invalid

from .guard import Guard
from .wiring import now_ns

SLOWEST = 0.05  # m/s; what a way may take at most is reckoned with it
SLACK_S = 2.0
FINGERS_S = 4.0
Grip = Callable[[float, Callable[[], None]], bool]  # True if there is something to wait for


class Ways:
    """One at a time, the latest. `watch` is called each tick."""

    def __init__(self, node: Node, guard: Guard, grip: Grip) -> None:
        self._node, self._guard, self._grip = node, guard, grip
        self._done: Future | None = None
        self._handle: Any = None
        self._until = 0
        self._at_the_end = False
        self._server = ActionServer(
            node, MoveTo, "~/move_to", self._execute,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )  # fmt: skip

    async def _execute(self, handle: Any) -> Any:
        goal, now = handle.request, now_ns(self._node)
        target = np.array([goal.position.x, goal.position.y, goal.position.z, goal.yaw])
        former = self._done
        try:
            if not (goal.speed >= 0 and not math.isinf(goal.aperture)):
                found = (goal.speed, goal.aperture)
                raise Invalid("speed, aperture", found, "0 or more; m or NaN", "correct the goal")
            lean = goal.lean_x, goal.lean_y
            self._guard.move(target, goal.speed, now, lean, goal.yields)
        except Invalid as error:
            handle.abort()
            return MoveTo.Result(reached=False, message=str(error))
        if former is not None and not former.done():  # who asked for that may be gone
            former.set_result("another way was asked for")
        seconds = (self._guard.moving() or 0.0) / (goal.speed or SLOWEST)
        seconds += self._guard.leaning_s() + SLACK_S
        self._until, self._at_the_end = now + round(seconds * 1e9), False
        self._handle = handle
        self._done = done = Future()
        message = await done
        if self._done is done:
            self._done = None
        if handle.is_cancel_requested:
            handle.canceled()
        elif message:
            handle.abort()
        else:
            handle.succeed()
        return MoveTo.Result(reached=not message, message=message)

    def watch(self, now: int) -> None:
        done, guard = self._done, self._guard
        if done is None or done.done():
            return
        if self._handle.is_cancel_requested:
            guard.give_up()
            done.set_result("cancelled")
        elif now > self._until:
            left = guard.moving()
            guard.give_up()
            late = "the fingers did not finish" if left is None else f"{left:.3f} m left"
            done.set_result(f"not done in time: {late}")
        elif self._at_the_end:
            if guard.stopped:
                done.set_result(guard.stopped)
        elif guard.moving() is None:
            done.set_result(guard.stopped or "given up: the arm was held back, or taken over")
        elif guard.arrived():
            self._arrive(done, now)

    def _arrive(self, done: Future, now: int) -> None:
        self._at_the_end, self._until = True, now + round(FINGERS_S * 1e9)
        width = self._handle.request.aperture

        def finished() -> None:
            if not done.done():
                done.set_result("")

        if math.isnan(width) or not self._grip(width, finished):
            finished()
