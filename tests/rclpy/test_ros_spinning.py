"""What comes and goes while it is spun, and what ends the spinning."""

from __future__ import annotations

import gc
import threading
from functools import partial
from typing import Any

import pytest
import rclpy
import rosless
from rclpy.context import Context
from rclpy.executors import (
    ExternalShutdownException,
    MultiThreadedExecutor,
    SingleThreadedExecutor,
)
from ros_doing import PATIENCE_S, Make, Spin, Spinner, spun_until, told, triggers, until
from std_msgs.msg import Empty


@pytest.mark.parametrize("kind", [SingleThreadedExecutor, partial(MultiThreadedExecutor, 2)])
def test_shutdown_in_a_callback_ends_it(make: Make, kind: Any) -> None:
    with told() as context:
        node = make(context=context)
        node.create_timer(0.0, context.try_shutdown)
        executor = kind(context=context)
        executor.add_node(node)
        spinner = Spinner(executor)
        until(spinner.ended)
        spinner.stop()
        node.destroy_node()


def test_shutdown_by_another_thread_is_told(make: Make) -> None:
    with told() as context:
        node = make(context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        inside = executor.create_task(lambda: threading.Timer(0.01, context.shutdown).start())
        with pytest.raises(ExternalShutdownException):
            executor.spin()
        assert inside.done()
        executor.shutdown()
        node.destroy_node()


def test_shutdown_ends_who_spins_nothing() -> None:
    context = Context()
    context.init(args=[])
    executor = SingleThreadedExecutor(context=context)
    spinner = Spinner(executor)
    until(executor.create_task(lambda: None).done)
    context.shutdown()
    until(spinner.ended)
    spinner.stop()


def test_an_executor_is_shut_down_while_it_spins(make: Make) -> None:
    """A hundred times, for it may be anywhere."""
    node = make()
    node.create_timer(0.0, lambda: None)
    for _ in range(100):
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        spinner = Spinner(executor)
        until(executor.create_task(lambda: None).done)
        spinner.stop()
        assert list(executor.get_nodes()) == []


@pytest.mark.skipif(not rosless.ACTIVE, reason="Jazzy's executor trips over what is gone")
def test_a_node_goes_in_its_own_callback(make: Make, spin: Spin) -> None:
    """And takes along what was lined up."""
    executor, called = SingleThreadedExecutor(), list[str]()
    stays, goes = make("stays"), make("goes")
    spinner = spin(stays, goes, executor=executor)
    publisher = stays.create_publisher(Empty, "a", 10)
    goes.create_subscription(Empty, "a", lambda _: called.append("heard"), 10)
    until(publisher.get_subscription_count)

    def leave() -> None:
        publisher.publish(Empty())
        goes.destroy_node()
        called.append("gone")

    goes.create_guard_condition(leave).trigger()
    until(lambda: "gone" in called)
    until(lambda: publisher.get_subscription_count() == 0)
    until(executor.create_task(lambda: None).done)
    assert not spinner.ended()
    assert called == ["gone"]
    assert [one.get_name() for one in executor.get_nodes()] == ["stays"]


@pytest.mark.skipif(not rosless.ACTIVE, reason="Jazzy's executor trips over what is gone")
def test_things_go_in_their_own_callback(make: Make) -> None:
    node, called = make(), list[str]()

    def heard(_: Any) -> None:
        called.append("subscription")
        assert node.destroy_subscription(subscription)

    def served(_: Any, response: Any) -> Any:
        called.append("guard")
        return response

    def guarded() -> None:
        called.append("guard")
        assert node.destroy_guard_condition(guard)

    subscription = node.create_subscription(Empty, "a", heard, 10)
    guard = node.create_guard_condition(guarded)
    publisher = node.create_publisher(Empty, "a", 10)
    until(publisher.get_subscription_count)
    for _ in range(3):
        publisher.publish(Empty())
    guard.trigger()
    spun_until(node, lambda: len(called) == 2)
    guard.trigger()
    rclpy.spin_once(node, timeout_sec=0.01)
    assert sorted(called) == ["guard", "subscription"]
    assert list(node.subscriptions) == []


@pytest.mark.skipif(not rosless.ACTIVE, reason="Jazzy's executor trips over what is gone")
def test_nodes_come_and_go_while_it_spins(make: Make, spin: Spin) -> None:
    executor, called = SingleThreadedExecutor(), list[str]()
    spin(make("first"), executor=executor)
    second = make("second")
    second.create_timer(0.001, lambda: called.append("second"))
    assert executor.add_node(second)
    assert not executor.add_node(second)
    until(lambda: called)
    executor.remove_node(second)
    for _ in range(2):  # what was lined up already is over by then
        until(executor.create_task(called.clear).done)
    again = make("third")
    again.create_timer(0.001, lambda: called.append("third"))
    executor.add_node(again)
    until(lambda: len(called) > 3)
    assert set(called) == {"third"}
    again.destroy_node()
    until(lambda: [one.get_name() for one in executor.get_nodes()] == ["first"])


def test_an_executor_waits_for_what_runs_when_it_is_shut_down(make: Make) -> None:
    for executor in (SingleThreadedExecutor(), MultiThreadedExecutor(2)):
        node = make()
        begun, over = threading.Event(), threading.Event()

        def hold(begun: Any = begun, over: Any = over) -> None:
            begun.set()
            over.wait(PATIENCE_S)

        triggers(node, node.default_callback_group, hold, 1)
        executor.add_node(node)
        spinner = Spinner(executor)
        assert begun.wait(PATIENCE_S)
        over.set()
        spinner.stop()
        node.destroy_node()


@pytest.mark.parametrize("kind", [SingleThreadedExecutor, partial(MultiThreadedExecutor, 2)])
def test_an_executor_is_shut_down_in_a_callback(make: Make, kind: Any) -> None:
    node, executor, over = make(), kind(), list[bool]()
    group = node.default_callback_group
    triggers(node, group, lambda: over.append(executor.shutdown(PATIENCE_S)), 1)
    executor.add_node(node)
    spinner = Spinner(executor)
    until(spinner.ended)
    spinner.join()
    until(lambda: over == [True])


@pytest.mark.skipif(not rosless.ACTIVE, reason="Jazzy's executor takes no task then")
def test_a_task_that_never_had_its_turn_is_let_go(make: Make) -> None:
    """Without a warning."""
    called: list[str] = []

    async def late() -> None:
        called.append("late")

    executor = SingleThreadedExecutor()
    tasks = [executor.create_task(late) for _ in range(2)]
    executor.shutdown()
    tasks.append(executor.create_task(late))
    assert not any(task.done() for task in tasks)
    tasks.clear()
    del executor
    gc.collect()
    assert called == []
