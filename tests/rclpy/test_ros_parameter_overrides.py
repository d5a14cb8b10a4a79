"""What parameters are from outside: the command line, files, and other nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import rosless
from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.msg import ParameterDescriptor, ParameterType, ParameterValue
from rcl_interfaces.srv import (
    DescribeParameters,
    GetParameters,
    GetParameterTypes,
    ListParameters,
    SetParameters,
    SetParametersAtomically,
)
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python
from ros_doing import PATIENCE_S, Make, Program, Spin, result


def overridden(make: Make, *words: str, name: str = "me", **choices: Any) -> dict[str, Any]:
    """Everything a node is told, without what it has of itself."""
    node = make(
        name,
        cli_args=["--ros-args", *words],
        automatically_declare_parameters_from_overrides=True,
        **choices,
    )
    found = node.get_parameters_by_prefix("")
    own = make("other").get_parameters_by_prefix("").keys()
    return {key: one.value for key, one in found.items() if key not in own}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-7", -7),
        ("0x10", 16),
        ("1.0", 1.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("true", True),
        ("False", False),
        ("on", True),
        ("'1'", "1"),
        ('"true"', "true"),
        ("text", "text"),
        ("two words", "two words"),
        ("/dev/video0", "/dev/video0"),
        ("12:30:45", "12:30:45"),
        ("2024-01-31", "2024-01-31"),
        ("1_000", "1_000"),
        ("192.168.1.10", "192.168.1.10"),
        ("[1, 2]", [1, 2]),
        ("[1.5, -2.0]", [1.5, -2.0]),
        ("[a, 'b c']", ["a", "b c"]),
        ("[true, false]", [True, False]),
        ("!!python/tuple [a, 'b']", ["a", "b"]),  # as launch_ros writes it
    ],
)
def test_what_is_typed_on_the_command_line(make: Make, text: str, value: Any) -> None:
    found = overridden(make, "-p", f"a:={text}")["a"]
    assert found == value
    assert type(found) is type(value)


def test_of_one_node_alone_and_the_last_one_counts(make: Make) -> None:
    words = ("-p", "a:=1", "-p", "me:a:=2", "-p", "other:a:=3", "-p", "b.c:=4", "-p", "b.c:=5")
    assert overridden(make, *words) == {"a": 2, "b.c": 5}


def test_what_is_said_in_the_program_counts_most(make: Make) -> None:
    given = [Parameter("a", value=9)]
    assert overridden(make, "-p", "a:=1", "-p", "b:=2", parameter_overrides=given) == {
        "a": 9,
        "b": 2,
    }


FILE = """
/**:
  ros__parameters: {a: 1, everywhere: true}
me:
  ros__parameters:
    a: 2
    nested: {y: 1.5, deeper: {list: [1, 2]}}
/ns/me:
  ros__parameters: {a: 3, full: 1}
ns:
  me:
    ros__parameters: {nested_name: 1}
/ns/*:
  ros__parameters: {one_part: 1}
/**/me:
  ros__parameters: {anywhere: 1}
/other:
  ros__parameters: {a: 4}
"""


def test_a_file(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "parameters.yaml"
    path.write_text(FILE)
    assert overridden(make, "--params-file", str(path)) == {
        "a": 2,
        "everywhere": True,
        "nested.y": 1.5,
        "nested.deeper.list": [1, 2],
        "anywhere": 1,
    }
    assert overridden(make, "--params-file", str(path), namespace="/ns") == {
        "a": 3,
        "everywhere": True,
        "full": 1,
        "nested_name": 1,
        "one_part": 1,
        "anywhere": 1,
    }
    deep = overridden(make, "--params-file", str(path), "-p", "a:=5", namespace="/x/y")
    assert deep == {"a": 5, "everywhere": True, "anywhere": 1}


@pytest.mark.parametrize("text", ["a: [", "- 1", "me: 3", "me:\n  a: 1"])
def test_a_file_of_something_else(make: Make, tmp_path: Path, text: str) -> None:
    path = tmp_path / "parameters.yaml"
    path.write_text(text)
    for name in (path, tmp_path / "nothing.yaml"):
        with pytest.raises(RuntimeError):
            make("me", cli_args=["--ros-args", "--params-file", str(name)])


@pytest.mark.parametrize("word", ["a", "a:=", ":=1"])
def test_words_that_are_no_parameter(make: Make, word: str) -> None:
    with pytest.raises(RuntimeError):
        make("me", cli_args=["--ros-args", "-p", word])


def test_what_is_told_is_declared_only_where_that_is_asked(make: Make) -> None:
    node = make("me", cli_args=["--ros-args", "-p", "a:=1", "-p", "b:=text"])
    assert not node.has_parameter("a")
    assert node.declare_parameter("a", 5).value == 1
    with pytest.raises(InvalidParameterTypeException):
        node.declare_parameter("b", 1.5)
    node.declare_parameter("b", 1.5, ParameterDescriptor(dynamic_typing=True))
    assert node.get_parameter("b").value == "text"


def value(number: int) -> ParameterValue:
    return ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=number)


class Asking:
    """The six services of another node."""

    def __init__(self, node: Node, of: str) -> None:
        self._node, self._of = node, of

    def __call__(self, srv_type: Any, name: str, **fields: Any) -> Any:
        client = self._node.create_client(srv_type, f"{self._of}/{name}")
        assert client.wait_for_service(PATIENCE_S)
        return result(client.call_async(srv_type.Request(**fields)))


def exercised(ask: Asking) -> None:
    """Of a node with a = 1, b.c = "text" and a list that is empty."""
    names = ["a", "b.c"]
    found = ask(GetParameters, "get_parameters", names=[*names, "list"]).values
    assert [parameter_value_to_python(one) for one in found] == [1, "text", []]
    assert ask(GetParameters, "get_parameters", names=["a", "nothing"]).values == []
    types = ask(GetParameterTypes, "get_parameter_types", names=names).types
    assert list(types) == [ParameterType.PARAMETER_INTEGER, ParameterType.PARAMETER_STRING]
    described = ask(DescribeParameters, "describe_parameters", names=names).descriptors
    assert [(one.name, one.description) for one in described] == [("a", "of a"), ("b.c", "")]
    listed = ask(ListParameters, "list_parameters", prefixes=["b"], depth=0).result
    assert (list(listed.names), list(listed.prefixes)) == (["b.c"], ["b"])
    wanted = [
        ParameterMsg(name="a", value=value(2)),
        ParameterMsg(name="b.c", value=value(3)),
        ParameterMsg(name="nothing", value=value(4)),
    ]
    results = ask(SetParameters, "set_parameters", parameters=wanted).results
    assert [one.successful for one in results] == [True, False, False]
    assert all(one.reason for one in results[1:])
    atomic = ask(SetParametersAtomically, "set_parameters_atomically", parameters=wanted)
    assert not atomic.result.successful
    found = ask(GetParameters, "get_parameters", names=["a"]).values
    assert found[0].integer_value == 2


def asked(node: Node) -> None:
    node.declare_parameter("a", 1, ParameterDescriptor(description="of a"))
    node.declare_parameter("b.c", "text")
    node.declare_parameter("list", Parameter.Type.INTEGER_ARRAY)
    node.set_parameters([Parameter("list", Parameter.Type.INTEGER_ARRAY, [])])


def test_another_node_asks_and_sets(make: Make, spin: Spin) -> None:
    there, here = make("there", namespace="/far"), make("here")
    asked(there)
    spin(there, here)
    exercised(Asking(here, "/far/there"))
    assert there.get_parameter("a").value == 2


def test_another_process_is_asked(make: Make, spin: Spin) -> None:
    source = """
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.parameter import Parameter
rclpy.init()
node = Node("there")
node.declare_parameter("a", 1, ParameterDescriptor(description="of a"))
node.declare_parameter("b.c", "text")
node.declare_parameter("list", Parameter.Type.INTEGER_ARRAY)
rclpy.spin(node)
"""
    here = make("here")
    spin(here)
    with Program(source, "--ros-args", "-p", "a:=7", "-p", "list:=[1]"):
        ask = Asking(here, "there")
        assert ask(GetParameters, "get_parameters", names=["a"]).values[0].integer_value == 7
        wanted = [ParameterMsg(name="a", value=value(1))]
        empty = ParameterValue(type=ParameterType.PARAMETER_INTEGER_ARRAY)
        wanted.append(ParameterMsg(name="list", value=empty))
        done = ask(SetParametersAtomically, "set_parameters_atomically", parameters=wanted)
        assert done.result.successful
        exercised(ask)


@pytest.mark.skipif(not rosless.ACTIVE, reason="Jazzy's node ends of it")
def test_a_type_that_nobody_knows_is_refused(make: Make, spin: Spin) -> None:
    """And the node goes on."""
    there, here = make("there"), make("here")
    asked(there)
    spin(there, here)
    wrong = ParameterMsg(name="a", value=ParameterValue(type=77))
    ask = Asking(here, "there")
    assert not ask(SetParameters, "set_parameters", parameters=[wrong]).results[0].successful
    exercised(ask)


def test_a_node_that_cannot_be_made_is_not_there(make: Make) -> None:
    other = make("other")
    with pytest.raises(InvalidParameterTypeException):
        make("broken", parameter_overrides=[Parameter("use_sim_time", value="yes")])
    assert other.get_node_names() == ["other"]
    assert other.count_publishers("/parameter_events") == 1
