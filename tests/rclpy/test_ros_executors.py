"""One thread that spins: who has a turn when, and what ends it."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any

import pytest
import rclpy
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.executors import (
    SingleThreadedExecutor,
)
from rclpy.task import Future
from ros_doing import PATIENCE_S, Make, Spin, spun, spun_until, until
from std_msgs.msg import String
from std_srvs.srv import Trigger


def test_who_is_flooded_does_not_keep_others_waiting(make: Make) -> None:
    node, called = make(), {"flood": 0, "other": 0, "timer": 0}

    def count(name: str) -> None:
        called[name] += 1

    flood = node.create_publisher(String, "flood", 100)
    other = node.create_publisher(String, "other", 100)
    node.create_subscription(String, "flood", lambda _: count("flood"), 100)
    node.create_subscription(String, "other", lambda _: count("other"), 100)
    node.create_timer(0.0, lambda: count("timer"))
    until(lambda: flood.get_subscription_count() and other.get_subscription_count())
    for _ in range(100):
        flood.publish(String())
    for _ in range(3):
        other.publish(String())
    spun_until(node, lambda: called["other"] == 3)
    assert called["flood"] < 100
    assert called["timer"] > 0


def test_a_task_that_always_wants_a_turn_does_not_keep_others_waiting(make: Make) -> None:
    node, called = make(), list[int]()
    node.create_timer(0.0, lambda: called.append(1))
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    over = Future()

    class Turn:
        def __await__(self) -> Any:
            yield

    async def restless() -> None:
        while not over.done():
            await Turn()

    task = executor.create_task(restless)
    spun_until(node, lambda: called, executor)
    over.set_result(None)
    executor.spin_until_future_complete(task, PATIENCE_S)
    assert task.done()
    executor.shutdown()


def test_spin_once_waits_as_long_as_it_is_told(make: Make) -> None:
    node = make()
    begun = time.monotonic()
    rclpy.spin_once(node, timeout_sec=0)
    rclpy.spin_once(node, timeout_sec=0.05)
    assert time.monotonic() - begun >= 0.05
    begun = time.monotonic()
    never = Future()
    rclpy.spin_until_future_complete(node, never, timeout_sec=0.05)
    assert time.monotonic() - begun >= 0.05
    assert not never.done()


def test_nothing_spins_while_there_is_nothing_to_do(make: Make) -> None:
    node = make()
    node.create_timer(0.2, lambda: None)
    before = time.thread_time()
    rclpy.spin_until_future_complete(node, Future(), timeout_sec=0.5)
    assert time.thread_time() - before < 0.25


def test_spinning_ends_with_a_future(make: Make) -> None:
    node, future = make(), Future()

    def finish() -> None:
        timer.cancel()
        future.set_result(7)

    timer = node.create_timer(0.01, finish)
    assert spun(node, future) == 7
    over = Future()
    thread = threading.Timer(0.01, over.set_result, (8,))
    thread.start()
    assert spun(node, over) == 8
    thread.join()


def test_tasks(make: Make) -> None:
    node, executor = make(), SingleThreadedExecutor()
    executor.add_node(node)

    async def doubled(number: int, *, by: int) -> int:
        return 2 * int(await executor.create_task(lambda: number + by))

    task = executor.create_task(doubled, 1, by=2)
    seen: list[int] = []
    task.add_done_callback(lambda done: seen.append(done.result()))
    executor.spin_until_future_complete(task, PATIENCE_S)
    assert task.result() == 6
    spun_until(node, lambda: seen, executor)
    assert seen == [6]
    plain = executor.create_task(lambda a: a, 5)
    executor.spin_until_future_complete(plain, PATIENCE_S)
    assert plain.result() == 5
    waiting = executor.create_task(doubled(3, by=0))
    executor.spin_until_future_complete(waiting, PATIENCE_S)
    assert waiting.result() == 6
    executor.shutdown()


def test_a_tasks_error_is_its_result(make: Make) -> None:
    node, executor = make(), SingleThreadedExecutor()
    executor.add_node(node)

    async def fail() -> None:
        raise KeyError("here")

    task = executor.create_task(fail)
    with pytest.raises(KeyError, match="here"):
        executor.spin_until_future_complete(task, PATIENCE_S)
    assert isinstance(task.exception(), KeyError)
    executor.shutdown()


def test_a_cancelled_future_is_not_done() -> None:
    future = Future()
    future.cancel()
    assert future.cancelled()
    assert not future.done()


def test_awaiting_a_service_keeps_nobody_waiting(make: Make) -> None:
    node, over, ticks = make(), Future(), list[int]()
    asked = Future()

    async def answer(_: Any, response: Any) -> Any:
        await asked
        response.message = "at last"
        return response

    own = MutuallyExclusiveCallbackGroup
    node.create_service(Trigger, "ask", answer, callback_group=own())
    client = node.create_client(Trigger, "ask", callback_group=own())
    until(client.service_is_ready)

    async def once() -> None:
        timer.cancel()
        found = await client.call_async(Trigger.Request())
        over.set_result(found.message)

    timer = node.create_timer(0.0, once, callback_group=own())

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 5:
            asked.set_result(None)

    node.create_timer(0.001, tick, callback_group=own())
    assert spun(node, over) == "at last"


def test_what_a_callback_raises_ends_the_spinning(make: Make) -> None:
    node = make()

    def fail() -> None:
        timer.cancel()
        raise KeyError("here")

    timer = node.create_timer(0.0, fail)
    with pytest.raises(KeyError, match="here"):
        rclpy.spin(node)
    spun_until(node, lambda: True)


def test_a_guard_condition_is_triggered_from_anywhere(make: Make, spin: Spin) -> None:
    node, called = make(), list[int]()
    guard = node.create_guard_condition(lambda: called.append(1))
    spin(node)
    for count in (1, 2, 3):
        guard.trigger()
        until(partial(lambda wanted: len(called) == wanted, count))
    assert node.destroy_guard_condition(guard)
    assert not node.destroy_guard_condition(guard)


def test_an_executor_may_be_spun_in_a_callback(make: Make) -> None:
    """By another one, for what another node waits for."""
    outer, inner = make("outer"), make("inner")
    inner.create_service(Trigger, "ask", lambda _, response: response)
    client, answers = inner.create_client(Trigger, "ask"), list[Any]()
    until(client.service_is_ready)

    def ask() -> None:
        timer.cancel()
        other = SingleThreadedExecutor()
        other.add_node(inner)
        future = client.call_async(Trigger.Request())
        other.spin_until_future_complete(future, PATIENCE_S)
        answers.append(future.result())
        other.shutdown()

    timer = outer.create_timer(0.0, ask)
    spun_until(outer, lambda: answers)
    assert answers == [Trigger.Response()]
