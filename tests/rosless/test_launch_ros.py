"""Nodes: what their command lines and their parameter files hold."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from launch import LaunchDescriptionEntity
from launch.actions import SetLaunchConfiguration
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launching import failure, run

# Says its command line, and what is in its parameter files.
RECORDER = """
import json, sys
from pathlib import Path
words = sys.argv[1:]
files = [b for a, b in zip(words, words[1:]) if a == '--params-file']
print(json.dumps({'arguments': words, 'files': [Path(file).read_text() for file in files]}))
"""


@dataclass
class Recorded:
    arguments: list[str]
    files: list[dict[str, Any]]

    @property
    def parameters(self) -> dict[str, Any]:
        """Of its one file, for any node."""
        (file,) = self.files
        return dict(file["/**"]["ros__parameters"])


def node(**options: Any) -> Node:
    arguments = ["-c", RECORDER, *options.pop("arguments", [])]
    settings = {"executable": sys.executable, "exec_name": "it", "output": "screen"}
    return Node(arguments=arguments, **{**settings, **options})


def recorded(*entities: LaunchDescriptionEntity) -> Recorded:
    """What the last node was told."""
    result = run(*entities)
    assert result.code == 0, result.text
    said = json.loads(result.said("it")[-1])
    arguments = ["FILE" if "/launch_" in x else x for x in said["arguments"]]
    return Recorded(arguments, [yaml.safe_load(text) for text in said["files"]])


# The command line ---------------------------------------------------------------------------------


def test_command_line_of_a_node(tmp_path: Path) -> None:
    (tmp_path / "cell.yaml").write_text("/**: {ros__parameters: {a: 1}}")
    name = LaunchConfiguration("name")
    told = recorded(
        SetLaunchConfiguration("name", "cam"),
        node(
            name=[name, "era"],
            namespace="cell",
            arguments=["--own", name],
            ros_arguments=["--log-level", "debug"],
            parameters=[{"rate": 30}, str(tmp_path / "cell.yaml")],
            remappings=[("image", [name, "/image"]), ("~/a", "b")],
        ),
    )
    assert told.arguments == [
        *("--own", "cam"),
        *("--ros-args", "--log-level", "debug", "-r", "__node:=camera", "-r", "__ns:=/cell"),
        *("--params-file", "FILE", "--params-file", str(tmp_path / "cell.yaml")),
        *("-r", "image:=cam/image", "-r", "~/a:=b"),
    ]
    assert told.files[0] == {"/**": {"ros__parameters": {"rate": 30}}}


def test_node_of_which_nothing_is_said() -> None:
    assert recorded(node()).arguments == ["--ros-args"]


# Parameters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (True, True),
        (5, 5),
        (0.00001, 0.00001),
        ("text", "text"),
        ("5", "5"),
        ("yes", "yes"),
        ("", ""),
        ("a: {b}\nc", "a: {b}\nc"),
        ([1, 2], [1, 2]),
        ([1, 2.5], [1.0, 2.5]),
        (("a", "5"), ["a", "5"]),
        ([True, False], [True, False]),
        (LaunchConfiguration("five"), 5),
        (LaunchConfiguration("list"), [1.5, 2.5]),
        ([LaunchConfiguration("five"), "0"], 50),
        ([[LaunchConfiguration("five")], [LaunchConfiguration("five"), "0"]], [5, 50]),
        (LaunchConfiguration("none", default=""), ""),
        (ParameterValue(LaunchConfiguration("five"), value_type=str), "5"),
        (ParameterValue(LaunchConfiguration("five"), value_type=float), 5.0),
        (ParameterValue("5"), "5"),
        (ParameterValue(LaunchConfiguration("list"), value_type=list[float]), [1.5, 2.5]),
        (ParameterValue([["a", LaunchConfiguration("five")], "b"]), ["a5", "b"]),
    ],
)
def test_parameter_keeps_its_type(written: object, expected: object) -> None:
    settings = [SetLaunchConfiguration("five", "5"), SetLaunchConfiguration("list", "[1.5, 2.5]")]
    value = recorded(*settings, node(parameters=[{"value": written}])).parameters["value"]
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ([], "parameter value: found [], wanted a bool, int"),
        ([1, "a"], "parameter value: found [1, 'a'], wanted a bool"),
        (None, "parameter value: found None, wanted a bool, int"),
        (LaunchConfiguration("x", default="{a: 1}"), "found '{a: 1}', wanted a bool, int"),
        (LaunchConfiguration("x", default="a: b: c"), "ParameterValue(..., value_type=str)"),
        (ParameterValue("a", value_type=int), "found 'a', wanted <class 'int'>"),
    ],
)
def test_parameter_that_cannot_be(written: object, reason: str) -> None:
    assert reason in failure(node(parameters=[{"value": written}]))


def test_nested_parameters_have_dots_in_their_names() -> None:
    name = LaunchConfiguration("x", default="gain")
    nested = {"pid": {(name,): 0.5, ("i", "max"): 1, "more": {"a": "b"}}, name: True}
    assert recorded(node(parameters=[nested])).parameters == {
        "pid.gain": 0.5,
        "pid.imax": 1,
        "pid.more.a": "b",
        "gain": True,
    }


def test_parameter_file_that_is_not_there_is_left_out() -> None:
    result = run(node(parameters=["/none.yaml", Path("/none.yaml")]))
    assert json.loads(result.said("it")[0])["arguments"] == ["--ros-args"]
    assert result.text.count("[WARNING] [launch]: Parameter file path is not a file: ") == 2


def test_parameter_files_are_removed_in_the_end() -> None:
    it = node(parameters=[{"a": 1}], respawn=True, respawn_max_retries=1)
    result = run(it)
    said = [json.loads(line) for line in result.said("it")]
    assert [yaml.safe_load(x["files"][0]) for x in said] == [
        {"/**": {"ros__parameters": {"a": 1}}}
    ] * 2
    assert not Path(said[0]["arguments"][-1]).exists()


def test_parameters_are_a_list() -> None:
    with pytest.raises(TypeError, match=r"parameters is {'a': 1}, wanted a list"):
        Node(executable="a", parameters={"a": 1})  # type: ignore[arg-type]
