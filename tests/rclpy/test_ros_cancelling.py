"""Goals that are called off, in time and too late, and who sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import rosless
from action_msgs.msg import GoalInfo, GoalStatus, GoalStatusArray
from action_msgs.srv import CancelGoal
from example_interfaces.action import Fibonacci
from rclpy.action import ActionClient, ActionServer, CancelResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_action_status_default
from ros_doing import PATIENCE_S, Make, Spin, result, until

Result, Goal = Fibonacci.Result, Fibonacci.Goal
SUCCEEDED, CANCELED = GoalStatus.STATUS_SUCCEEDED, GoalStatus.STATUS_CANCELED
Answer = CancelGoal.Response


class Pursuit:
    """Goals that go on until they are called off, or told to end."""

    def __init__(self, there: Node, here: Node, **choices: Any) -> None:
        self.begun: dict[bytes, Any] = {}
        self.enough = threading.Event()
        self.cancel = CancelResponse.ACCEPT
        self.asked: list[bytes] = []
        choices = {"cancel_callback": self._cancel, **choices}
        group = ReentrantCallbackGroup()
        self.server = ActionServer(
            there, Fibonacci, "go", self._execute, callback_group=group, **choices
        )
        self.here, self.client = here, ActionClient(here, Fibonacci, "go")
        self.raw = here.create_client(CancelGoal, "go/_action/cancel_goal")

    def _cancel(self, goal_handle: Any) -> CancelResponse:
        self.asked.append(bytes(goal_handle.goal_id.uuid))
        return self.cancel

    def _execute(self, goal_handle: Any) -> Any:
        self.begun[bytes(goal_handle.goal_id.uuid)] = goal_handle
        until(lambda: goal_handle.is_cancel_requested or self.enough.is_set())
        if goal_handle.is_cancel_requested:
            goal_handle.canceled()
        else:
            goal_handle.succeed()
        return Result(sequence=[len(self.begun)])

    def sent(self) -> Any:
        handle = result(self.client.send_goal_async(Goal()))
        until(lambda: bytes(handle.goal_id.uuid) in self.begun)
        return handle

    def called_off(self, **info: Any) -> Any:
        """By whoever knows the service alone."""
        return result(self.raw.call_async(CancelGoal.Request(goal_info=GoalInfo(**info))))


Pursue = Callable[..., Pursuit]


@pytest.fixture
def pursue(make: Make, spin: Spin) -> Iterator[Pursue]:
    made: list[Pursuit] = []

    def pursued(**choices: Any) -> Pursuit:
        there, here = make("there"), make("here")
        made.append(Pursuit(there, here, **choices))
        spin(there, here, executor=MultiThreadedExecutor(6))
        assert made[-1].client.wait_for_server(PATIENCE_S)
        assert made[-1].raw.wait_for_service(PATIENCE_S)
        return made[-1]

    yield pursued
    for one in made:
        one.enough.set()


def test_a_goal_is_called_off(pursue: Pursue) -> None:
    pursuit = pursue()
    kept, gone = pursuit.sent(), pursuit.sent()
    answer = result(gone.cancel_goal_async())
    assert answer.return_code == Answer.ERROR_NONE
    assert [one.goal_id for one in answer.goals_canceling] == [gone.goal_id]
    assert result(gone.get_result_async()).status == CANCELED
    assert pursuit.asked == [bytes(gone.goal_id.uuid)]
    pursuit.enough.set()
    assert result(kept.get_result_async()).status == SUCCEEDED


def test_all_are_called_off(pursue: Pursue) -> None:
    pursuit = pursue()
    handles = [pursuit.sent() for _ in range(3)]
    assert len(pursuit.called_off().goals_canceling) == 3
    for handle in handles:
        assert result(handle.get_result_async()).status == CANCELED


@pytest.mark.skipif(not rosless.ACTIVE, reason="rcl of Jazzy stamps goals anew")
def test_those_until_a_time_are_called_off(pursue: Pursue) -> None:
    pursuit = pursue()
    first, second, third = (pursuit.sent() for _ in range(3))
    answer = pursuit.called_off(stamp=first.stamp)
    assert [one.goal_id for one in answer.goals_canceling] == [first.goal_id]
    both = pursuit.called_off(stamp=first.stamp, goal_id=third.goal_id)
    assert third.goal_id in [one.goal_id for one in both.goals_canceling]
    for handle in (first, third):
        assert result(handle.get_result_async()).status == CANCELED
    assert bytes(second.goal_id.uuid) not in pursuit.asked
    pursuit.enough.set()
    assert result(second.get_result_async()).status == SUCCEEDED


def test_a_server_that_does_not_let_go(pursue: Pursue) -> None:
    pursuit = pursue()
    pursuit.cancel = CancelResponse.REJECT
    handle = pursuit.sent()
    assert len(result(handle.cancel_goal_async()).goals_canceling) == 0
    pursuit.enough.set()
    assert result(handle.get_result_async()).status == SUCCEEDED


def test_nothing_is_let_go_unless_a_server_says_so(pursue: Pursue) -> None:
    pursuit = pursue(cancel_callback=None)
    handle = pursuit.sent()
    assert len(result(handle.cancel_goal_async()).goals_canceling) == 0
    assert not pursuit.begun[bytes(handle.goal_id.uuid)].is_cancel_requested


def test_what_is_over_or_was_never_there(pursue: Pursue) -> None:
    pursuit = pursue()
    handle = pursuit.sent()
    pursuit.enough.set()
    assert result(handle.get_result_async()).status == SUCCEEDED
    answer = result(handle.cancel_goal_async())
    assert answer.return_code == Answer.ERROR_GOAL_TERMINATED
    assert len(answer.goals_canceling) == 0
    unknown = handle.goal_id.__class__(uuid=[7] * 16)
    assert pursuit.called_off(goal_id=unknown).return_code == Answer.ERROR_UNKNOWN_GOAL_ID
    assert result(handle.get_result_async()).status == SUCCEEDED


def test_a_goal_that_succeeds_while_it_is_asked_whether_to_let_go(pursue: Pursue) -> None:
    pursuit: Pursuit

    def too_late(goal_handle: Any) -> CancelResponse:
        pursuit.enough.set()
        until(lambda: not goal_handle.is_active)
        return CancelResponse.ACCEPT

    pursuit = pursue(cancel_callback=too_late)
    handle = pursuit.sent()
    assert len(result(handle.cancel_goal_async()).goals_canceling) == 0
    assert result(handle.get_result_async()).status == SUCCEEDED


def test_it_is_called_off_twice(pursue: Pursue) -> None:
    pursuit = pursue()
    handle = pursuit.sent()
    answers = [handle.cancel_goal_async() for _ in range(2)]
    assert any(len(result(one).goals_canceling) == 1 for one in answers)
    assert result(handle.get_result_async()).status == CANCELED


def test_a_goal_is_called_off_before_it_begins(pursue: Pursue) -> None:
    waiting: list[Any] = []
    pursuit = pursue(handle_accepted_callback=waiting.append)
    handle = result(pursuit.client.send_goal_async(Goal()))
    until(lambda: waiting)
    assert len(result(handle.cancel_goal_async()).goals_canceling) == 1
    assert waiting[0].is_cancel_requested
    waiting[0].execute()
    assert result(handle.get_result_async()).status == CANCELED


def test_a_goal_that_succeeds_though_it_is_called_off(pursue: Pursue) -> None:
    waiting: list[Any] = []
    pursuit = pursue(handle_accepted_callback=waiting.append)
    handle = result(pursuit.client.send_goal_async(Goal()))
    until(lambda: waiting)
    result(handle.cancel_goal_async())

    def finish(goal_handle: Any) -> Any:
        goal_handle.succeed()
        return Result(sequence=[1])

    waiting[0].execute(finish)
    assert result(handle.get_result_async()).status == SUCCEEDED


def test_others_see_what_becomes_of_goals(pursue: Pursue, make: Make, spin: Spin) -> None:
    pursuit, seen = pursue(), list[dict[bytes, int]]()
    watcher = make("watcher")
    watcher.create_subscription(
        GoalStatusArray,
        "go/_action/status",
        lambda m: seen.append({bytes(s.goal_info.goal_id.uuid): s.status for s in m.status_list}),
        qos_profile_action_status_default,
    )
    other = ActionClient(watcher, Fibonacci, "go")
    spin(watcher)
    assert other.wait_for_server(PATIENCE_S)
    mine = pursuit.sent()
    theirs = result(other.send_goal_async(Goal()))
    until(lambda: seen and len(seen[-1]) == 2)
    executing = GoalStatus.STATUS_EXECUTING
    until(lambda: (mine.status, theirs.status) == (executing, executing))
    result(mine.cancel_goal_async())
    until(lambda: seen[-1][bytes(mine.goal_id.uuid)] == CANCELED)
    assert theirs.status == executing
    pursuit.enough.set()
    until(lambda: seen[-1][bytes(theirs.goal_id.uuid)] == SUCCEEDED)
    until(lambda: (mine.status, theirs.status) == (CANCELED, SUCCEEDED))
