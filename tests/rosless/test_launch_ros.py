"""Nodes: what their command lines and their parameter files hold."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import launch_ros.actions
import pytest
import yaml
from launch import LaunchDescriptionEntity
from launch.actions import GroupAction, SetLaunchConfiguration
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import (
    Node,
    PushRosNamespace,
    SetParameter,
    SetParametersFromFile,
    SetRemap,
)
from launch_ros.descriptions import Parameter, ParameterFile, ParameterValue
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
    arguments = ["FILE" if "launch_params_" in x else x for x in said["arguments"]]
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
            parameters=[{"rate": 30}, str(tmp_path / "cell.yaml"), Parameter("b", [1, 2])],
            remappings=[("image", [name, "/image"]), ("~/a", "b")],
        ),
    )
    assert told.arguments == [
        *("--own", "cam"),
        *("--ros-args", "--log-level", "debug"),
        *("--ros-args", "-r", "__node:=camera", "-r", "__ns:=/cell"),
        *("--params-file", "FILE", "--params-file", str(tmp_path / "cell.yaml")),
        *("-p", "b:=[1, 2]"),
        *("-r", "image:=cam/image", "-r", "~/a:=b"),
    ]
    assert told.files[0] == {"/cell/camera": {"ros__parameters": {"rate": 30}}}


def test_node_of_which_nothing_is_said() -> None:
    assert recorded(node()).arguments == ["--ros-args"]


@pytest.mark.parametrize(
    ("pushed", "given", "expected"),
    [
        ([], None, None),
        ([], "a", "/a"),
        ([], "", "/"),
        ([], "/", "/"),
        (["a"], None, "/a"),
        (["a", "b"], None, "/a/b"),
        (["a"], "b", "/a/b"),
        (["a"], "/b", "/b"),
        (["a"], "", "/a"),
        (["/"], "b", "/b"),
        (["a", "/c"], "b/", "/c/b"),
    ],
)
def test_namespace(pushed: list[str], given: str | None, expected: str | None) -> None:
    told = recorded(*(PushRosNamespace(name) for name in pushed), node(namespace=given))
    rule = [] if expected is None else ["-r", f"__ns:={expected}"]
    assert told.arguments == ["--ros-args", *rule]


def test_settings_hold_for_the_nodes_of_their_scope(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text("/**: {ros__parameters: {a: 1}}")
    settings = [
        PushRosNamespace("cell"),
        SetParameter("use_sim_time", True),
        SetParameter("list", [1, 2]),
        SetParametersFromFile(str(file)),
        SetRemap("a", "b"),
    ]
    inner = node(parameters=[{"own": 1}], remappings=[("c", "d")])
    outer = [SetParameter("outer", 0.5), SetRemap("x", "y")]
    assert recorded(*outer, GroupAction([*settings, inner])).arguments == [
        *("--ros-args", "-r", "__ns:=/cell", "-p", "outer:=0.5"),
        *("-p", "use_sim_time:=True", "-p", "list:=[1, 2]", "--params-file", str(file)),
        *("--params-file", "FILE", "-r", "x:=y", "-r", "a:=b", "-r", "c:=d"),
    ]
    outside = recorded(*outer, GroupAction(settings), node())
    assert outside.arguments == ["--ros-args", "-p", "outer:=0.5", "-r", "x:=y"]


def test_namespace_or_name_that_cannot_be() -> None:
    assert "camera one" in failure(node(name="camera one"))
    assert "/cell//a" in failure(node(namespace="cell//a"))


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
        ([], "parameter value is [], wanted a list that is not empty"),
        ([1, "a"], "parameter value is [1, 'a'], wanted a list"),
        (None, "parameter value is None, wanted a bool, an int"),
        (LaunchConfiguration("x", default="{a: 1}"), "parameter value: '{a: 1}' is not a bool"),
        (LaunchConfiguration("x", default="a: b: c"), "ParameterValue(..., value_type=str)"),
        (ParameterValue("a", value_type=int), "ParameterValue: value is 'a', wanted"),
        (ParameterFile("a", allow_substs=True), "allow_substs"),
    ],
)
def test_parameter_that_cannot_be(written: object, reason: str) -> None:
    parameters = [written if isinstance(written, ParameterFile) else {"value": written}]
    assert reason in failure(node(parameters=parameters))


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
    result = run(node(parameters=["/none.yaml", ParameterFile(Path("/none.yaml"))]))
    assert json.loads(result.said("it")[0])["arguments"] == ["--ros-args"]
    assert result.text.count("[WARNING] [launch]: Parameter file path is not a file: ") == 2
    assert "/none.yaml, which is no file" in failure(SetParametersFromFile("/none.yaml"))


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
    with pytest.raises(NotImplementedError, match="ComposableNodeContainer is not in rosless"):
        launch_ros.actions.ComposableNodeContainer  # noqa: B018
