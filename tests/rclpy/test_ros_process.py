"""Processes and contexts: begun once, ended in good order, and apart from each other."""

from __future__ import annotations

import signal
from functools import partial

import pytest
import rclpy
from rclpy.context import Context
from rclpy.exceptions import NotInitializedException
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import try_shutdown
from ros_doing import Make, Program, spun_until, told, until
from std_msgs.msg import String

NO = SignalHandlerOptions.NO

SPINNING = """
import signal
from rclpy.utilities import try_shutdown
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
rclpy.init()
node = Node("node")
executor = MultiThreadedExecutor(2) if "many" in sys.argv else None
if executor:
    executor.add_node(node)
node.create_guard_condition(lambda: print("spins")).trigger()
try:
    executor.spin() if executor else rclpy.spin(node)
except KeyboardInterrupt:
    print("interrupted")
except ExternalShutdownException:
    print("shut down")
print("ok" if rclpy.ok() else "over")
try_shutdown()
node.destroy_node()
"""


@pytest.mark.parametrize(
    ("number", "threads", "lines"),
    [
        (signal.SIGINT, "one", ["spins", "interrupted", "over"]),
        (signal.SIGTERM, "one", ["spins", "shut down", "over"]),
        (signal.SIGTERM, "many", ["spins", "over"]),
    ],
)
def test_a_signal_ends_it_in_good_order(
    number: signal.Signals, threads: str, lines: list[str]
) -> None:
    with Program(SPINNING, threads) as program:
        program.says("spins")
        program.process.send_signal(number)
        assert program.ends() == 0
    assert program.lines == lines
    assert "Traceback" not in "\n".join(program.errors)


STORM = """
import os, random, signal, threading
from rclpy.utilities import try_shutdown
from rclpy.executors import ExternalShutdownException
for count in range(60):
    rclpy.init()
    node = Node("node", start_parameter_services=False, enable_rosout=False)
    node.create_timer(0.0, lambda: None)
    kill = threading.Timer(random.uniform(0.001, 0.005), os.kill, (os.getpid(), signal.SIGTERM))
    kill.start()
    try:
        rclpy.spin(node)
    except ExternalShutdownException:
        pass
    kill.join()
    node.destroy_node()
    try_shutdown()
print("ends")
"""


def test_a_signal_may_come_at_any_time() -> None:
    with Program(STORM) as program:
        assert program.ends() == 0, program.errors
    assert program.lines == ["ends"]


UNCAUGHT = """
rclpy.init()
node = Node("node")
node.create_guard_condition(lambda: print("spins")).trigger()
rclpy.spin(node)
"""


def test_an_interrupt_that_nobody_catches_ends_as_pythons_does() -> None:
    with Program(UNCAUGHT) as program:
        program.says("spins")
        program.process.send_signal(signal.SIGINT)
        assert program.ends() in (-signal.SIGINT, 130, 1)
    assert "KeyboardInterrupt" in "\n".join(program.errors)


HANDLED = """
import signal, threading
from rclpy.signals import SignalHandlerOptions
signal.signal(signal.SIGTERM, lambda *_: print("mine"))
rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
signal.raise_signal(signal.SIGTERM)
print("ok" if rclpy.ok() else "over")
rclpy.shutdown()
rclpy.init()
inner = rclpy.Context()
rclpy.init(context=inner)
print("within")
rclpy.shutdown(context=inner)
rclpy.shutdown()
signal.raise_signal(signal.SIGTERM)
print("ends")
"""


def test_a_programs_own_handlers_are_its_own() -> None:
    with Program(HANDLED) as program:
        assert program.ends() == 0, program.errors
    assert program.lines == ["mine", "ok", "within", "mine", "ends"]


def test_what_is_begun_is_begun_once() -> None:
    with pytest.raises(RuntimeError, match="once"):
        rclpy.init(args=[], signal_handler_options=NO)
    rclpy.shutdown()
    assert not rclpy.ok()
    with pytest.raises(RuntimeError):
        rclpy.shutdown()
    try_shutdown()
    rclpy.init(args=[], signal_handler_options=NO)
    assert rclpy.ok()


def test_a_context_is_used_once() -> None:
    context = Context()
    assert not context.ok()
    with pytest.raises(RuntimeError):
        context.shutdown()
    context.try_shutdown()
    context.init(args=[])
    assert context.ok()
    context.shutdown()
    assert not context.ok()
    with pytest.raises(RuntimeError):
        context.init(args=[])


def test_nothing_is_made_before_the_beginning() -> None:
    rclpy.shutdown()
    with pytest.raises(NotInitializedException):
        Node("early")
    with pytest.raises(NotInitializedException):
        Node("early", context=Context())
    with pytest.raises(RuntimeError):
        rclpy.init(args=[], domain_id=-1, signal_handler_options=NO)


@pytest.mark.skipif(not hasattr(Node, "__enter__"), reason="came to rclpy after Jazzy")
def test_shutdown_comes_by_itself() -> None:
    rclpy.shutdown()
    with rclpy.init(args=[], signal_handler_options=NO):
        assert rclpy.ok()
        with rclpy.create_node("inside") as node:
            assert node.get_name() == "inside"
    assert not rclpy.ok()
    with pytest.raises(KeyError), rclpy.init(args=[], signal_handler_options=NO):
        raise KeyError
    assert not rclpy.ok()


def test_who_is_told_of_shutdown() -> None:
    context, calls = Context(), list[str]()

    class Owner:
        def over(self) -> None:
            calls.append("over")

    kept = Owner()
    context.init(args=[])
    context.on_shutdown(kept.over)
    context.on_shutdown(Owner().over)
    context.shutdown()
    assert calls == ["over"]


def test_a_node_may_be_destroyed_after_shutdown(make: Make) -> None:
    node = make()
    node.create_publisher(String, "a", 1)
    node.create_subscription(String, "a", print, 1)
    rclpy.shutdown()
    node.destroy_node()
    node.destroy_node()


def test_spinning_works_after_another_beginning(make: Make) -> None:
    for _ in range(3):
        node, called = make(), list[int]()
        node.create_timer(0.0, partial(called.append, 1))
        spun_until(node, partial(len, called))
        node.destroy_node()
        try_shutdown()
        rclpy.init(args=[], signal_handler_options=NO)


def test_domains_do_not_hear_each_other(make: Make) -> None:
    """Nor see each other; contexts of one domain do."""
    got: list[str] = []
    with told() as same, told() as first:
        away = Context()
        away.init(args=[], domain_id=(same.get_domain_id() + 50) % 101)
        nodes = [make(name, context=c) for name, c in zip("abc", (first, same, away), strict=True)]
        executors = []
        for node in nodes[1:]:
            name = node.get_name()
            node.create_subscription(String, "x", lambda m, n=name: got.append(n + m.data), 10)
            executors.append(SingleThreadedExecutor(context=node.context))
            executors[-1].add_node(node)
        senders = [node.create_publisher(String, "x", 10) for node in (nodes[0], nodes[2])]
        until(lambda: all(one.get_subscription_count() == 1 for one in senders))
        for number, sender in enumerate(senders):
            sender.publish(String(data=str(number)))

        def both() -> bool:
            for executor in executors:
                executor.spin_once(timeout_sec=0.01)
            return len(got) == 2

        until(both)
        assert sorted(got) == ["b0", "c1"]
        until(lambda: sorted(nodes[0].get_node_names()) == ["a", "b"])
        assert nodes[2].get_node_names() == ["c"]
        for executor in executors:
            executor.shutdown()
        for node in nodes:
            node.destroy_node()
        away.shutdown()
