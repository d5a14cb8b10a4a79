"""Several threads that spin: what runs beside what, and that nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import rosless
from rclpy.callback_groups import (
    MutuallyExclusiveCallbackGroup,
    ReentrantCallbackGroup,
)
from rclpy.executors import MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.task import Future
from ros_doing import PATIENCE_S, Make, Spin, Spinner, result, triggers, until
from std_msgs.msg import Int64
from std_srvs.srv import Trigger


@pytest.fixture
def four() -> Iterator[MultiThreadedExecutor]:
    executor = MultiThreadedExecutor(4)
    yield executor
    executor.shutdown(PATIENCE_S)


class Crowd:
    """How many are inside at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.inside = self.most = self.been = 0

    def __enter__(self) -> None:
        with self._lock:
            self.inside += 1
            self.been += 1
            self.most = max(self.inside, self.most)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.inside -= 1


@pytest.mark.parametrize("together", [True, False])
def test_reentrant_callbacks_run_together(
    make: Make, spin: Spin, four: MultiThreadedExecutor, together: bool
) -> None:
    """Those of one group, and those of groups of their own."""
    node, met = make(), list[int]()
    barrier = threading.Barrier(3)

    def meet() -> None:
        met.append(barrier.wait(PATIENCE_S))

    shared = ReentrantCallbackGroup()
    for _ in range(3):
        triggers(node, shared if together else MutuallyExclusiveCallbackGroup(), meet, 1)
    spin(node, executor=four)
    until(lambda: sorted(met) == [0, 1, 2])


def test_one_subscription_runs_beside_itself(
    make: Make, spin: Spin, four: MultiThreadedExecutor
) -> None:
    node, met = make(), list[int]()
    barrier = threading.Barrier(3)
    group = ReentrantCallbackGroup()
    node.create_subscription(
        Int64, "a", lambda _: met.append(barrier.wait(PATIENCE_S)), 10, callback_group=group
    )
    publisher = node.create_publisher(Int64, "a", 10)
    spin(node, executor=four)
    until(publisher.get_subscription_count)
    for number in range(3):
        publisher.publish(Int64(data=number))
    until(lambda: sorted(met) == [0, 1, 2])


def test_callbacks_that_exclude_each_other_run_one_by_one(
    make: Make, spin: Spin, four: MultiThreadedExecutor
) -> None:
    node, crowd, heard = make(), Crowd(), list[int]()
    group = MutuallyExclusiveCallbackGroup()

    def busy(message: Any = None) -> None:
        with crowd:
            time.sleep(0.0005)
            if message is not None:
                heard.append(message.data)

    node.create_timer(0.001, busy, group)
    for topic in ("a", "b"):
        node.create_subscription(Int64, topic, busy, 100, callback_group=group)
    spin(node, executor=four)
    publishers = [node.create_publisher(Int64, topic, 100) for topic in ("a", "b")]
    until(lambda: all(one.get_subscription_count() for one in publishers))
    guards = triggers(node, group, busy, 3)
    for number in range(50):
        publishers[number % 2].publish(Int64(data=number))
        guards[number % 3].trigger()
    until(lambda: len(heard) == 50)
    assert crowd.most == 1
    assert [n for n in heard if n % 2] == sorted(n for n in heard if n % 2)


def test_nothing_that_waits_for_its_group_is_forgotten(
    make: Make, spin: Spin, four: MultiThreadedExecutor
) -> None:
    """Two that become ready at once and exclude each other, again and again."""
    node, group, called = make(), MutuallyExclusiveCallbackGroup(), [0, 0]

    def call(which: int) -> None:
        called[which] += 1

    guards = [node.create_guard_condition(partial(call, which), group) for which in (0, 1)]
    spin(node, executor=four)
    for count in range(1, 300):
        for guard in guards:
            guard.trigger()
        until(partial(lambda wanted: min(called) >= wanted, count))


def test_who_waits_for_its_group_does_not_spin(
    make: Make, spin: Spin, four: MultiThreadedExecutor
) -> None:
    node, group, heard = make(), MutuallyExclusiveCallbackGroup(), list[int]()
    begun, over = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        over.wait(PATIENCE_S)

    node.create_subscription(
        Int64, "a", lambda message: heard.append(message.data), 10, callback_group=group
    )
    node.create_timer(0.001, lambda: None, group)
    publisher = node.create_publisher(Int64, "a", 10)
    until(publisher.get_subscription_count)
    spin(node, executor=four)
    triggers(node, group, hold, 1)
    assert begun.wait(PATIENCE_S)
    for number in range(5):
        publisher.publish(Int64(data=number))
    before = time.process_time()
    time.sleep(0.6)  # it is the wait that is measured
    used = time.process_time() - before
    assert heard == []
    over.set()
    until(lambda: heard == [0, 1, 2, 3, 4])
    assert used < 0.3


def test_calls_wait_in_callbacks(make: Make, spin: Spin, four: MultiThreadedExecutor) -> None:
    node, answers = make(), list[str]()
    group = ReentrantCallbackGroup()

    def answer(_: Any, response: Any) -> Any:
        response.message = "yes"
        return response

    node.create_service(Trigger, "ask", answer, callback_group=group)
    client = node.create_client(Trigger, "ask", callback_group=group)

    def ask() -> None:
        assert client.wait_for_service(PATIENCE_S)
        answers.append(client.call(Trigger.Request(), timeout_sec=PATIENCE_S).message)

    spin(node, executor=four)
    triggers(node, group, ask, 3)
    until(lambda: answers == ["yes"] * 3)


def test_what_a_callback_raises_ends_the_spinning(make: Make) -> None:
    node, executor = make(), MultiThreadedExecutor(2)

    def fail() -> None:
        timer.cancel()
        raise KeyError("here")

    timer = node.create_timer(0.0, fail, MutuallyExclusiveCallbackGroup())
    node.create_timer(0.01, lambda: None)
    executor.add_node(node)
    spinner = Spinner(executor)
    until(spinner.ended)
    with pytest.raises(KeyError, match="here"):
        spinner.stop()


@pytest.mark.skipif(not rosless.ACTIVE, reason="in Jazzy, it holds one")
def test_a_coroutine_holds_its_group_and_no_thread(
    make: Make, spin: Spin, four: MultiThreadedExecutor
) -> None:
    node, gate = make(), Future(executor=four)
    begun, done = list[str](), list[str]()

    async def wait(name: str) -> None:
        begun.append(name)
        await gate
        done.append(name)

    spin(node, executor=four)
    shared = MutuallyExclusiveCallbackGroup()
    groups = [shared, *(MutuallyExclusiveCallbackGroup() for _ in range(8))]
    made = [triggers(node, one, lambda: wait("early"), 1) for one in groups]
    until(lambda: len(begun) == len(made))
    later = triggers(node, shared, lambda: done.append("later"), 1)
    result(four.create_task(lambda: None))
    assert done == []
    gate.set_result(None)
    until(lambda: len(done) == len(made) + len(later))
    assert done.index("early") < done.index("later")


@pytest.mark.parametrize("threads", [1, 4])
def test_entities_come_and_go_while_others_spin(make: Make, spin: Spin, threads: int) -> None:
    """From another thread, and with messages on their way to them."""
    node = make(start_parameter_services=False)
    executor = SingleThreadedExecutor() if threads == 1 else MultiThreadedExecutor(threads)
    spinner = spin(node, executor=executor)
    publisher = node.create_publisher(Int64, "a", 10)
    node.create_timer(0.0005, lambda: publisher.publish(Int64()), ReentrantCallbackGroup())
    heard = [0]

    def hear(_: Any) -> None:
        heard[0] += 1

    group = ReentrantCallbackGroup()
    for _ in range(60):
        made = node.create_subscription(Int64, "a", hear, 10, callback_group=group)
        timer = node.create_timer(0.0005, lambda: None)
        service = node.create_service(Trigger, "ask", lambda _, response: response)
        client = node.create_client(Trigger, "ask")
        future = client.call_async(Trigger.Request())
        until(partial(lambda before: heard[0] > before or spinner.ended(), heard[0]))
        assert node.destroy_subscription(made)
        assert node.destroy_timer(timer)
        assert node.destroy_service(service)
        assert node.destroy_client(client)
        future.cancel()
        assert spinner.error is None


def test_many_that_are_always_ready_have_each_a_turn(make: Make, spin: Spin) -> None:
    node = make(start_parameter_services=False)
    counts = [0] * 50

    def hear(which: int, _: Any) -> None:
        counts[which] += 1

    for which in range(len(counts)):
        node.create_subscription(Int64, "a", partial(hear, which), 1000)
    publisher = node.create_publisher(Int64, "a", 1000)
    until(lambda: publisher.get_subscription_count() == len(counts))
    for _ in range(20):
        publisher.publish(Int64())
    firsts: list[int] = []
    node.create_guard_condition(lambda: firsts.append(max(counts))).trigger()
    spin(node)
    until(lambda: min(counts) == 20)
    assert firsts[0] <= 2
