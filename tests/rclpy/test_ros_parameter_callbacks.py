"""Who is asked before parameters change, who is told after, and what is listed."""

from __future__ import annotations

from typing import Any

import pytest
from rcl_interfaces.msg import ParameterDescriptor, ParameterEvent, SetParametersResult
from rclpy.exceptions import InvalidParameterValueException, ParameterNotDeclaredException
from rclpy.node import Node
from rclpy.parameter import Parameter
from ros_doing import Make, Spin, until

YES, NO = SetParametersResult(successful=True), SetParametersResult(reason="no")


def both(a: Any, b: Any) -> list[Parameter]:
    return [Parameter("a", value=a), Parameter("b", value=b)]


def with_two(make: Make, name: str = "node") -> Node:
    node = make(name)
    node.declare_parameters("", [("a", 1), ("b", 2)])
    return node


def values(node: Node) -> list[Any]:
    return [one.value for one in node.get_parameters(["a", "b"])]


def test_before_while_and_after(make: Make) -> None:
    node, said = with_two(make), list[Any]()

    def before(parameters: list[Parameter]) -> list[Parameter]:
        said.append("before")
        return [Parameter(one.name, value=one.value + 1) for one in parameters]

    def during(parameters: list[Parameter]) -> SetParametersResult:
        said.append([one.value for one in parameters])
        return YES

    def after(parameters: list[Parameter]) -> None:
        said.append(values(node))

    node.add_pre_set_parameters_callback(before)
    node.add_on_set_parameters_callback(during)
    node.add_post_set_parameters_callback(after)
    assert node.set_parameters_atomically(both(10, 20)).successful
    assert said == ["before", [11, 21], [11, 21]]
    said.clear()
    node.remove_pre_set_parameters_callback(before)
    node.remove_on_set_parameters_callback(during)
    node.remove_post_set_parameters_callback(after)
    assert node.set_parameters_atomically(both(1, 2)).successful
    assert said == []
    with pytest.raises(ValueError):  # noqa: PT011 - of a list
        node.remove_on_set_parameters_callback(during)


def test_all_or_none(make: Make) -> None:
    node = with_two(make)
    assert not node.set_parameters_atomically(both(3, "text")).successful
    assert values(node) == [1, 2]
    assert [one.successful for one in node.set_parameters(both(3, "text"))] == [True, False]
    assert values(node) == [3, 2]
    with pytest.raises(ParameterNotDeclaredException):
        node.set_parameters_atomically([*both(4, 4), Parameter("c", value=1)])
    assert values(node) == [3, 2]


def test_the_latest_is_asked_first_and_no_is_no(make: Make) -> None:
    node, asked = with_two(make), list[str]()

    def first(parameters: list[Parameter]) -> SetParametersResult:
        asked.append("first")
        return YES

    def second(parameters: list[Parameter]) -> SetParametersResult:
        asked.append("second")
        return NO if parameters[0].value == 13 else YES

    node.add_on_set_parameters_callback(first)
    node.add_on_set_parameters_callback(second)
    assert node.set_parameters_atomically(both(5, 5)).successful
    assert asked == ["second", "first"]
    answer = node.set_parameters_atomically(both(13, 6))
    assert (answer.successful, answer.reason) == (False, "no")
    assert asked == ["second", "first", "second"]
    assert values(node) == [5, 5]


def test_who_is_asked_can_refuse_a_declaration(make: Make) -> None:
    node = make()
    node.add_on_set_parameters_callback(lambda _: NO)
    with pytest.raises(InvalidParameterValueException, match="no"):
        node.declare_parameter("a", 1)
    assert not node.has_parameter("a")


def test_a_list_that_is_emptied_before(make: Make) -> None:
    node = with_two(make)
    node.add_pre_set_parameters_callback(lambda _: [])
    assert not node.set_parameters_atomically(both(3, 4)).successful
    assert values(node) == [1, 2]


def test_what_is_listed(make: Make) -> None:
    node = make()
    names = ["a", "b.c", "b.d.e", "b.d.f.g", "bb"]
    node.declare_parameters("", [(name, 1) for name in names])

    def listed(prefixes: list[str], depth: int) -> tuple[list[str], list[str]]:
        found = node.list_parameters(prefixes, depth)
        kept = [one for one in found.names if one in names]
        return sorted(kept), sorted(one for one in found.prefixes if one[0] == "b")

    assert listed([], 0) == (names, ["b", "b.d", "b.d.f"])
    assert listed([], 1) == (["a", "bb"], [])
    assert listed([], 2) == (["a", "b.c", "bb"], ["b"])
    assert listed(["b"], 0) == (["b.c", "b.d.e", "b.d.f.g"], ["b", "b.d", "b.d.f"])
    assert listed(["b"], 1) == (["b.c"], ["b"])
    assert listed(["b.d", "a"], 1) == (["a", "b.d.e"], ["b.d"])
    assert listed(["nothing"], 0) == ([], [])
    for prefixes, depth, error in (("a", 0, TypeError), ([1], 0, TypeError), ([], -1, ValueError)):
        with pytest.raises(error):
            node.list_parameters(prefixes, depth)  # type: ignore[arg-type]


def test_others_are_told(make: Make, spin: Spin) -> None:
    events: list[ParameterEvent] = []
    watcher = make("watcher", start_parameter_services=False)

    def keep(event: ParameterEvent) -> None:
        told = [*event.new_parameters, *event.changed_parameters, *event.deleted_parameters]
        if event.node == "/there/told" and [one.name for one in told] == ["a"]:
            events.append(event)

    hearing = watcher.create_subscription(ParameterEvent, "/parameter_events", keep, 100)
    spin(watcher)
    node = make("told", namespace="/there")
    until(lambda: hearing.get_publisher_count() == 2)
    until(lambda: node.count_subscribers("/parameter_events") == 1)
    events.clear()
    node.declare_parameter("a", 1, ParameterDescriptor(dynamic_typing=True))
    node.set_parameters([Parameter("a", value=2)])
    node.set_parameters([Parameter("a", value=None)])
    until(lambda: len(events) == 3)
    kinds = ("new_parameters", "changed_parameters", "deleted_parameters")
    told = [{kind: [p.name for p in getattr(e, kind)] for kind in kinds} for e in events]
    for event, kind in zip(told, kinds, strict=True):
        assert event == {one: ["a"] if one == kind else [] for one in kinds}
    assert events[1].changed_parameters[0].value.integer_value == 2
