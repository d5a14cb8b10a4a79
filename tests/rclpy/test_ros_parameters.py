"""A node's parameters: declaring, checking, setting, and who is asked before."""

from __future__ import annotations

from typing import Any

import pytest
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import (
    InvalidParameterException,
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterAlreadyDeclaredException,
    ParameterNotDeclaredException,
    ParameterUninitializedException,
)
from rclpy.node import Node
from rclpy.parameter import Parameter
from ros_doing import Make

TYPES = Parameter.Type
FREE = ParameterDescriptor(dynamic_typing=True)
VALUES: list[tuple[Any, Parameter.Type]] = [
    (True, TYPES.BOOL),
    (3, TYPES.INTEGER),
    (2.5, TYPES.DOUBLE),
    ("text", TYPES.STRING),
    ([b"a", b"\xff"], TYPES.BYTE_ARRAY),
    ([True, False], TYPES.BOOL_ARRAY),
    ([1, -2], TYPES.INTEGER_ARRAY),
    ([0.5], TYPES.DOUBLE_ARRAY),
    (["", "é"], TYPES.STRING_ARRAY),
]


def put(node: Node, name: str, value: Any) -> SetParametersResult:
    return node.set_parameters([Parameter(name, value=value)])[0]


@pytest.mark.parametrize(("value", "kind"), VALUES)
def test_a_value_has_its_type(make: Make, value: Any, kind: Parameter.Type) -> None:
    node = make()
    declared = node.declare_parameter("a", value)
    assert (declared.name, declared.value, declared.type_) == ("a", value, kind)
    assert node.get_parameter("a").value == value
    assert node.get_parameter_type("a") == kind.value == node.describe_parameter("a").type
    there = Parameter.from_parameter_msg(declared.to_parameter_msg())
    back = list(there.value) if isinstance(value, list) else there.value
    assert (there.name, back, there.type_) == ("a", value, kind)
    other = "text" if kind != TYPES.STRING else 1
    refused = put(node, "a", other)
    assert not refused.successful
    assert "type" in refused.reason
    assert put(node, "a", value).successful


def test_what_is_no_parameter() -> None:
    with pytest.raises(TypeError):
        Parameter("a", value={"a": 1})
    with pytest.raises(TypeError):
        Parameter("a", value=[1, "b"])
    with pytest.raises(TypeError):
        Parameter("a", "not a type", 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="agree"):
        Parameter("a", TYPES.INTEGER, 1.5)
    assert Parameter("a").type_ == TYPES.NOT_SET


def test_a_type_alone_wants_a_value_before_it_is_read(make: Make) -> None:
    node = make(parameter_overrides=[Parameter("given", value=1)])
    assert node.declare_parameter("given", TYPES.INTEGER).value == 1
    node.declare_parameter("a", TYPES.DOUBLE)
    with pytest.raises(ParameterUninitializedException):
        node.get_parameter("a")
    assert node.get_parameter_or("a", Parameter("a", value=2.5)).value == 2.5
    assert not put(node, "a", "text").successful
    assert put(node, "a", 1.5).successful
    assert node.get_parameter("a").value == 1.5
    with pytest.raises(ValueError, match="NOT_SET"):
        node.declare_parameter("b", TYPES.NOT_SET)
    with pytest.raises(ValueError, match="dynamic"):
        node.declare_parameter("b", TYPES.BOOL, ParameterDescriptor(dynamic_typing=True))


def test_what_is_typed_freely_may_become_anything(make: Make) -> None:
    node = make()
    assert node.declare_parameter("a", descriptor=FREE).type_ == TYPES.NOT_SET
    for value, kind in VALUES:
        assert put(node, "a", value).successful
        assert node.get_parameter("a").type_ == kind
    node.declare_parameter("b", 1, FREE)
    assert put(node, "b", "text").successful
    assert put(node, "b", None).successful
    assert not node.has_parameter("b")


def test_what_may_not_be_declared(make: Make) -> None:
    node = make()
    node.declare_parameter("a", 1)
    with pytest.raises(ParameterAlreadyDeclaredException):
        node.declare_parameter("a", 1)
    with pytest.raises(InvalidParameterException):
        node.declare_parameter("", 1)
    with pytest.raises(ValueError, match="statically typed"):
        node.declare_parameter("b", None, ParameterDescriptor())
    with pytest.raises(TypeError):
        node.declare_parameters("", [("b", 1, None, None)])
    with pytest.raises(TypeError):
        node.declare_parameters("", [(1, 1)])
    with pytest.raises(TypeError):
        node.declare_parameters("", [("b", 1, "descriptor")])
    assert not node.has_parameter("b")


def test_many_are_declared_beneath_a_name(make: Make) -> None:
    node = make()
    found = node.declare_parameters("arm", [("speed", 1.0), ("name", "left"), ("free", None, FREE)])
    assert [one.name for one in found] == ["arm.speed", "arm.name", "arm.free"]
    by_prefix = node.get_parameters_by_prefix("arm")
    assert {key: one.value for key, one in by_prefix.items()} == {
        "speed": 1.0,
        "name": "left",
        "free": None,
    }
    assert node.get_parameters_by_prefix("ar") == {}
    assert "arm.speed" in node.get_parameters_by_prefix("")
    assert [one.value for one in node.get_parameters(["arm.name", "arm.speed"])] == ["left", 1.0]


def test_what_is_not_declared(make: Make) -> None:
    node = make()
    with pytest.raises(ParameterNotDeclaredException):
        node.get_parameter("a")
    with pytest.raises(ParameterNotDeclaredException):
        put(node, "a", 1)
    with pytest.raises(ParameterNotDeclaredException):
        node.describe_parameter("a")
    with pytest.raises(ParameterNotDeclaredException):
        node.get_parameter_type("a")
    assert node.get_parameter_or("a").type_ == TYPES.NOT_SET
    assert node.get_parameter_or("a", Parameter("a", value=7)).value == 7


@pytest.mark.parametrize(
    ("value", "fits"),
    [(-5, True), (10, True), (-2, True), (7, True), (-6, False), (11, False), (0, False)],
)
def test_integers_keep_to_their_range(make: Make, value: int, fits: bool) -> None:
    """The ends are always allowed, though the upper one is on no step."""
    node = make()
    allowed = IntegerRange(from_value=-5, to_value=10, step=3)
    node.declare_parameter("a", -5, ParameterDescriptor(integer_range=[allowed]))
    assert put(node, "a", value).successful is fits
    if not fits:
        with pytest.raises(InvalidParameterValueException):
            node.declare_parameter("b", value, ParameterDescriptor(integer_range=[allowed]))
        assert not node.has_parameter("b")


def test_large_integers_keep_to_their_range(make: Make) -> None:
    node, high = make(), 2**62
    allowed = IntegerRange(from_value=0, to_value=high, step=1)
    node.declare_parameter("a", 0, ParameterDescriptor(integer_range=[allowed]))
    assert put(node, "a", 2**60 + 1).successful
    assert not put(node, "a", high + 1).successful


@pytest.mark.parametrize(
    ("value", "fits"),
    [(0.0, True), (1.0, True), (0.1 + 0.2, True), (0.95, False), (1.001, False), (-0.1, False)],
)
def test_floats_keep_to_their_range(make: Make, value: float, fits: bool) -> None:
    node = make()
    allowed = FloatingPointRange(from_value=0.0, to_value=1.0, step=0.1)
    node.declare_parameter("a", 0.0, ParameterDescriptor(floating_point_range=[allowed]))
    assert put(node, "a", value).successful is fits


def test_what_is_read_only_stays(make: Make) -> None:
    node = make(parameter_overrides=[Parameter("a", value=2)])
    node.declare_parameter("a", 1, ParameterDescriptor(read_only=True))
    assert node.get_parameter("a").value == 2
    assert not put(node, "a", 3).successful
    assert node.get_parameter("a").value == 2


def test_what_is_typed_cannot_be_nothing(make: Make) -> None:
    node = make()
    node.declare_parameter("a", 1)
    assert not put(node, "a", None).successful


def test_a_wrong_type_is_an_error_where_it_is_declared(make: Make) -> None:
    node = make(parameter_overrides=[Parameter("a", value="text"), Parameter("list", value=[])])
    with pytest.raises(InvalidParameterTypeException):
        node.declare_parameter("a", 1)
    assert not node.has_parameter("a")
    assert node.declare_parameter("a", 1, ignore_override=True).value == 1
