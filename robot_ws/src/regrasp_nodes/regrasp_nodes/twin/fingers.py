"""The gripper's action, as drivers of real ones have it: one goal at a time, the newest; fingers
that something stops have done what they could."""

from __future__ import annotations

from typing import Any

from control_msgs.action import GripperCommand
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.node import Node
from rclpy.task import Future

from policy.contract import Invalid
from sim.twin import ClawState, Twin

from .grip import Grip


class Fingers:
    """Position is the width between the fingers (m), effort the force (N; 0: the cell's)."""

    def __init__(self, node: Node, twin: Twin, name: str) -> None:
        self._node, self._twin = node, twin
        self._grip: Grip | None = None
        self._done: Future | None = None
        self._handle: Any = None
        self._looks = node.create_guard_condition(self._look)
        self._server = ActionServer(
            node, GripperCommand, name, self._execute, goal_callback=self._decide,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )  # fmt: skip

    def moved(self) -> None:
        """The gripper has told a new state; from any thread."""
        if self._grip is not None:
            self._looks.trigger()

    def give_up(self, why: str) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(why)
        self._grip = None

    def _decide(self, goal: Any) -> GoalResponse:
        try:
            self._twin.gripper.checked(*_wanted(goal))
        except Invalid as error:
            self._node.get_logger().error(f"gripper goal refused: {error}")
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    async def _execute(self, handle: Any) -> Any:
        self.give_up("another goal came")
        width, force = _wanted(handle.request)
        self._handle = handle
        done = self._done = Future()
        self._grip = Grip(width, self._twin.time_ns)
        self._twin.gripper.command(width, force)
        outcome = await done
        if outcome in ("reached", "stalled"):
            handle.succeed()
        elif handle.is_cancel_requested:
            handle.canceled()
        else:
            self._node.get_logger().warning(f"gripper goal of {width} m given up: {outcome}")
            handle.abort()
        state = self._twin.gripper.states.latest()
        assert state is not None  # a goal is judged by them
        return GripperCommand.Result(**_told(state, outcome == "reached", outcome == "stalled"))

    def _look(self) -> None:
        state, grip = self._twin.gripper.states.latest(), self._grip
        if state is None or grip is None:
            return
        if self._handle.is_cancel_requested:
            widest = self._twin.cell.gripper.aperture.value[1]
            self._twin.gripper.command(min(state.width, widest))  # stay there
            self.give_up("cancelled")
            return
        outcome = grip.outcome(state)
        there = outcome == "reached", outcome == "stalled"
        self._handle.publish_feedback(GripperCommand.Feedback(**_told(state, *there)))
        if outcome is not None:
            self.give_up(outcome)


def _wanted(goal: Any) -> tuple[float, float | None]:
    return goal.command.position, goal.command.max_effort or None


def _told(state: ClawState, reached: bool, stalled: bool) -> dict[str, Any]:
    return {
        "position": state.width, "effort": state.force,
        "reached_goal": reached, "stalled": stalled,
    }  # fmt: skip
