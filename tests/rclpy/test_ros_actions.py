"""Goals: accepted or not, pursued, told of, and over in one of three ways."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import rosless
from action_msgs.msg import GoalStatus
from example_interfaces.action import Fibonacci
from rclpy.action import ActionClient, ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from rclpy.task import Future
from ros_doing import PATIENCE_S, Make, Program, Spin, result, until
from unique_identifier_msgs.msg import UUID

Result, Goal, Feedback = Fibonacci.Result, Fibonacci.Goal, Fibonacci.Feedback
SUCCEEDED, ABORTED = GoalStatus.STATUS_SUCCEEDED, GoalStatus.STATUS_ABORTED
CANCELED, UNKNOWN = GoalStatus.STATUS_CANCELED, GoalStatus.STATUS_UNKNOWN
Start = Callable[..., tuple[ActionServer, ActionClient]]


def count(goal_handle: Any) -> Any:
    numbers = list(range(goal_handle.request.order))
    for number in numbers:
        goal_handle.publish_feedback(Feedback(sequence=numbers[: number + 1]))
    goal_handle.succeed()
    return Result(sequence=numbers)


@pytest.fixture
def start(make: Make, spin: Spin) -> Start:
    """A server and a client of their own nodes, spun by four threads."""

    def started(execute: Any = count, **choices: Any) -> tuple[ActionServer, ActionClient]:
        there, here = make("there"), make("here")
        group = ReentrantCallbackGroup()
        server = ActionServer(there, Fibonacci, "count", execute, callback_group=group, **choices)
        client = ActionClient(here, Fibonacci, "count", callback_group=ReentrantCallbackGroup())
        spin(there, here, executor=MultiThreadedExecutor(4))
        assert client.wait_for_server(PATIENCE_S)
        return server, client

    return started


def sent(client: ActionClient, order: int = 3, **choices: Any) -> Any:
    return result(client.send_goal_async(Goal(order=order), **choices))


def test_a_goal_is_pursued(start: Start) -> None:
    _, client = start()
    told: list[list[int]] = []
    handle = sent(client, feedback_callback=lambda m: told.append(list(m.feedback.sequence)))
    assert handle.accepted
    until(lambda: sorted(told) == [[0], [0, 1], [0, 1, 2]])
    over = result(handle.get_result_async())
    assert over.status == SUCCEEDED
    assert list(over.result.sequence) == [0, 1, 2]
    assert handle.status == SUCCEEDED
    late = result(handle.get_result_async())
    assert (late.status, list(late.result.sequence)) == (SUCCEEDED, [0, 1, 2])


def test_one_thread_is_enough(make: Make, spin: Spin) -> None:
    node = make()
    ActionServer(node, Fibonacci, "count", count)
    client = ActionClient(node, Fibonacci, "count")
    spin(node)
    assert client.wait_for_server(PATIENCE_S)
    assert result(sent(client).get_result_async()).status == SUCCEEDED


@pytest.mark.parametrize("decide", [GoalResponse.REJECT, GoalResponse.ACCEPT])
def test_a_goal_is_accepted_or_not(start: Start, decide: GoalResponse) -> None:
    asked: list[int] = []

    async def choose(goal: Any) -> GoalResponse:
        asked.append(goal.order)
        return decide

    _, client = start(goal_callback=choose)
    handle = sent(client, 5)
    assert asked == [5]
    assert handle.accepted is (decide == GoalResponse.ACCEPT)
    if not handle.accepted:
        assert result(handle.get_result_async()).status == UNKNOWN


def test_an_id_is_used_once(start: Start) -> None:
    _, client = start()
    own = UUID(uuid=list(range(16)))
    assert sent(client, goal_uuid=own).accepted
    assert not sent(client, goal_uuid=own).accepted


def test_what_is_no_goal(start: Start) -> None:
    server, client = start()
    with pytest.raises(TypeError):
        client.send_goal_async(Result())
    with pytest.raises(TypeError):
        server.register_execute_callback("nothing")  # type: ignore[arg-type]


def broken(goal_handle: Any) -> Any:
    raise KeyError("here")


def undecided(goal_handle: Any) -> Any:
    return Result(sequence=[7])


def aborted(goal_handle: Any) -> Any:
    goal_handle.abort()
    return Result(sequence=[8])


@pytest.mark.parametrize(("execute", "sequence"), [(broken, []), (undecided, [7]), (aborted, [8])])
def test_a_goal_that_does_not_succeed_is_aborted(
    start: Start, execute: Any, sequence: list[int]
) -> None:
    _, client = start(execute)
    over = result(sent(client).get_result_async())
    assert (over.status, list(over.result.sequence)) == (ABORTED, sequence)
    assert result(sent(client).get_result_async()).status == ABORTED


# rcl of Jazzy refuses it.
FOR_EVER = pytest.param(-1, SUCCEEDED, marks=pytest.mark.skipif(not rosless.ACTIVE, reason="rcl"))
MOVES = ("execute", "succeed", "abort", "canceled")


@pytest.mark.parametrize("ended", ["succeed", "abort", "canceled"])
def test_what_is_over_goes_nowhere(start: Start, ended: str) -> None:
    refused: list[str] = []
    cancelled = threading.Event()

    def execute(goal_handle: Any) -> Any:
        if ended == "canceled":
            assert cancelled.wait(PATIENCE_S)
        getattr(goal_handle, ended)()
        assert not goal_handle.is_active
        for move in MOVES:
            try:
                getattr(goal_handle, move)()
            except Exception:  # noqa: BLE001 - its kind is the middleware's
                refused.append(move)
        return Result(sequence=[1])

    _, client = start(execute, cancel_callback=lambda _: CancelResponse.ACCEPT)
    handle = sent(client)
    if ended == "canceled":
        assert len(result(handle.cancel_goal_async()).goals_canceling) == 1
        cancelled.set()
    over = result(handle.get_result_async())
    wanted = {"succeed": SUCCEEDED, "abort": ABORTED, "canceled": CANCELED}[ended]
    assert (over.status, list(over.result.sequence)) == (wanted, [1])
    assert refused == list(MOVES)


def test_what_a_goal_cannot_do_yet(start: Start) -> None:
    refused: list[str] = []

    def attempt(goal_handle: Any, *moves: str) -> None:
        for move in moves:
            try:
                getattr(goal_handle, move)()
            except Exception:  # noqa: BLE001 - its kind is the middleware's
                refused.append(f"{goal_handle.status}.{move}")

    def accepted(goal_handle: Any) -> None:
        attempt(goal_handle, "succeed", "abort", "canceled")
        goal_handle.execute()

    def execute(goal_handle: Any) -> Any:
        attempt(goal_handle, "canceled")
        return count(goal_handle)

    _, client = start(execute, handle_accepted_callback=accepted)
    assert result(sent(client).get_result_async()).status == SUCCEEDED
    assert refused == ["1.succeed", "1.abort", "1.canceled", "2.canceled"]


def test_a_goal_is_executed_when_its_server_likes(start: Start) -> None:
    waiting: list[Any] = []
    _, client = start(handle_accepted_callback=waiting.append)
    first, second = sent(client, 1), sent(client, 2)
    over = [one.get_result_async() for one in (first, second)]
    assert len(waiting) == 2
    waiting[1].execute()
    assert list(result(over[1]).result.sequence) == [0, 1]
    assert not over[0].done()
    until(lambda: first.status == GoalStatus.STATUS_ACCEPTED)
    waiting[0].execute(lambda goal_handle: (goal_handle.succeed(), Result(sequence=[9]))[1])
    assert list(result(over[0]).result.sequence) == [9]


def test_many_goals_at_once(start: Start) -> None:
    _, client = start()
    futures = [client.send_goal_async(Goal(order=n)) for n in range(10)]  # as many are kept
    handles = [result(one) for one in futures]
    for number, handle in enumerate(handles):
        over = result(handle.get_result_async())
        assert list(over.result.sequence) == list(range(number))


def test_an_execution_that_is_a_coroutine(start: Start) -> None:
    gate = Future()

    async def execute(goal_handle: Any) -> Any:
        await gate
        goal_handle.succeed()
        return Result()

    _, client = start(execute)
    over = [sent(client).get_result_async() for _ in range(8)]
    assert not any(one.done() for one in over)
    gate.set_result(None)
    assert [result(one).status for one in over] == [SUCCEEDED] * 8


@pytest.mark.parametrize(("kept", "found"), [(0, UNKNOWN), (100, SUCCEEDED), FOR_EVER])
def test_a_result_is_kept_for_a_while(start: Start, kept: float, found: int) -> None:
    _, client = start(result_timeout=kept)
    handle = sent(client)
    until(lambda: result(handle.get_result_async()).status == found)


@pytest.mark.skipif(not rosless.ACTIVE, reason="Jazzy's servers of other tests are there still")
def test_nobody_pursues(make: Make) -> None:
    client = ActionClient(make(), Fibonacci, "count")
    assert not client.server_is_ready()
    assert not client.wait_for_server(timeout_sec=0.05)


SERVER = """
from example_interfaces.action import Fibonacci
from rclpy.action import ActionServer
rclpy.init()
node = Node("server")
def execute(goal_handle):
    print("pursued")
    import time
    time.sleep(1000)
server = ActionServer(node, Fibonacci, "count", execute)
rclpy.spin(node)
"""


@pytest.mark.skipif(not rosless.ACTIVE, reason="Jazzy's servers of other tests are there still")
def test_a_server_that_dies(make: Make, spin: Spin) -> None:
    node = make()
    client = ActionClient(node, Fibonacci, "count")
    spin(node)
    with Program(SERVER) as server:
        assert client.wait_for_server(PATIENCE_S)
        over = sent(client).get_result_async()
        server.says("pursued")
        server.process.kill()
        until(lambda: not client.server_is_ready(), seconds=5)
    assert not over.done()
