"""Launch descriptions: arguments, scopes, conditions, timers, and what is left out."""

from __future__ import annotations

import importlib
from pathlib import Path

import launch
import launch.actions
import launch_ros.actions
import pytest
from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    RegisterEventHandler,
    SetLaunchConfiguration,
    TimerAction,
)
from launch.conditions import IfCondition, UnlessCondition
from launch.event_handlers import OnShutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launching import failure, heard, say


def include(path: Path, **arguments: str) -> IncludeLaunchDescription:
    source = PythonLaunchDescriptionSource(str(path))
    return IncludeLaunchDescription(source, launch_arguments=arguments.items())


def launch_file(path: Path, *actions: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "from launch import LaunchDescription\n"
        "from launch.actions import *\n"
        "from launch.conditions import *\n"
        "from launch.substitutions import LaunchConfiguration\n"
        "def generate_launch_description():\n"
        f"    return LaunchDescription([{', '.join(actions)}])\n"
    )
    return path


# Arguments ----------------------------------------------------------------------------------------


def test_argument_takes_its_default_unless_it_is_given() -> None:
    words = heard(
        SetLaunchConfiguration("given", "yes"),
        DeclareLaunchArgument("given", default_value="no"),
        DeclareLaunchArgument("not_given", default_value=[LaunchConfiguration("given"), "!"]),
        say(LaunchConfiguration("given"), " ", LaunchConfiguration("not_given")),
    )
    assert words == ["yes yes!"]


def test_required_argument_that_is_missing_says_how_to_give_it() -> None:
    text = failure(DeclareLaunchArgument("cell", description="which cell"))
    assert "Required launch argument 'cell' (description: 'which cell') was not provided" in text
    assert "cell:=value" in text


def test_argument_holds_to_its_choices() -> None:
    declared = DeclareLaunchArgument("mode", default_value="a", choices=["a", "b"])
    assert heard(declared, say(LaunchConfiguration("mode"))) == ["a"]
    text = failure(SetLaunchConfiguration("mode", "c"), declared)
    assert "Argument 'mode' provided value 'c' is not valid. Valid options are: ['a', 'b']" in text
    with pytest.raises(RuntimeError, match="default_value 'c' is none of its choices"):
        DeclareLaunchArgument("mode", default_value="c", choices=["a", "b"])


def test_arguments_are_found_without_running_the_file(tmp_path: Path) -> None:
    inner = launch_file(tmp_path / "inner.launch.py", "DeclareLaunchArgument('inner')")
    description = LaunchDescription(
        [
            DeclareLaunchArgument("outer", default_value="1"),
            DeclareLaunchArgument("outer", default_value="2"),
            GroupAction([include(inner)]),
            GroupAction([DeclareLaunchArgument("perhaps")], condition=IfCondition("false")),
            include(tmp_path / "none.launch.py"),
        ]
    )
    found = [(a.name, conditional) for a, conditional in description.declarations()]
    assert found == [("outer", False), ("inner", False), ("perhaps", True)]
    assert description.declarations()[0][0].default_value == "1"


# Scopes -------------------------------------------------------------------------------------------


def test_scoped_group_leaves_no_trace() -> None:
    tell, setting = say(LaunchConfiguration("x", default="-")), SetLaunchConfiguration("x", "set")
    assert heard(GroupAction([setting, tell]), tell) == ["set", "-"]
    assert heard(GroupAction([setting, tell], scoped=False), tell) == ["set", "set"]


def test_include_passes_arguments_and_is_no_scope(tmp_path: Path) -> None:
    inner = launch_file(
        tmp_path / "inner.launch.py",
        "DeclareLaunchArgument('a')",
        "DeclareLaunchArgument('b', default_value='2')",
        "LogInfo(msg=[LaunchConfiguration('a'), LaunchConfiguration('b')])",
    )
    tell = say(*(LaunchConfiguration(name, default="-") for name in "abc"))
    assert heard(include(inner, a="1", c="3"), tell) == ["12", "123"]
    assert heard(GroupAction([include(inner, a="1", c="3")]), tell) == ["12", "---"]


def test_include_without_a_required_argument_says_which(tmp_path: Path) -> None:
    inner = launch_file(tmp_path / "inner.launch.py", "DeclareLaunchArgument('cell')")
    outer = launch_file(
        tmp_path / "outer.launch.py",
        f"IncludeLaunchDescription({str(inner)!r})",
        "LogInfo(msg='x')",
    )
    text = failure(include(outer, other="1"))
    assert "Required launch argument 'cell'" in text
    assert "cell:=value" in text
    given = launch_file(
        tmp_path / "given.launch.py",
        f"IncludeLaunchDescription({str(inner)!r}, launch_arguments=[('cell', 'a')])",
    )
    assert heard(include(given)) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("x = 1", "has no function generate_launch_description"),
        ("def generate_launch_description(): pass", "returned None, wanted a LaunchDescription"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("from launch.actions import OpaqueCoroutine", "launch.actions.OpaqueCoroutine is not in"),
    ],
)
def test_launch_file_that_cannot_be_read(content: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.launch.py"
    file.write_text(content)
    assert reason in failure(include(file))


def test_other_formats_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.launch.xml"
    file.write_text("<launch/>")
    assert "one in XML or YAML is not in rosless" in failure(include(file))


# Conditions, timers -------------------------------------------------------------------------------


def test_conditions() -> None:
    x = LaunchConfiguration("x")
    words = heard(
        SetLaunchConfiguration("x", "True"),
        say("if", condition=IfCondition(x)),
        say("if not", condition=IfCondition(["0"])),
        say("unless", condition=UnlessCondition("FALSE ")),
        say("unless not", condition=UnlessCondition(x)),
    )
    assert words == ["if", "unless"]


def test_condition_that_is_neither_true_nor_false() -> None:
    text = failure(say("x", condition=IfCondition([LaunchConfiguration("x", default="maybe")])))
    assert "expected one of [true, 1, false, 0] but got 'maybe'" in text
    assert "LaunchConfiguration('x')" in text


def test_timers_fire_in_their_order_and_end_with_the_launch() -> None:
    words = heard(
        TimerAction(period=0.05, actions=[say("second"), launch.actions.Shutdown()]),
        TimerAction(period=LaunchConfiguration("x", default="0.01"), actions=[say("first")]),
        TimerAction(period=3600.0, actions=[say("never")]),
        RegisterEventHandler(OnShutdown(on_shutdown=[say("ended")])),
    )
    assert words == ["first", "second", "ended"]


def test_handler_that_was_registered_last_comes_first() -> None:
    handlers = [OnShutdown(on_shutdown=say(word)) for word in ("a", "b")]
    assert heard(*(RegisterEventHandler(handler) for handler in handlers)) == ["b", "a"]


# What is left out ---------------------------------------------------------------------------------


def test_what_is_left_out_says_so() -> None:
    absent = (
        (launch, "LaunchIntrospector"),
        (launch_ros.actions, "LifecycleNode"),
        (launch_ros.actions, "ComposableNodeContainer"),
    )
    for module, name in absent:
        with pytest.raises(
            NotImplementedError, match=f"{module.__name__}.{name} is not in rosless"
        ):
            getattr(module, name)
    with pytest.raises(ImportError, match=r"launch\.substitutions\.FileContent is not in rosless"):
        from launch.substitutions import FileContent  # type: ignore[attr-defined] # noqa: F401
    with pytest.raises(NotImplementedError, match=r"launch_ros\.substitutions is not in rosless"):
        importlib.import_module("launch_ros.substitutions")
    with pytest.raises(NotImplementedError, match=r"ExecuteProcess\(output_format=\.\.\.\)"):
        launch.actions.ExecuteProcess(cmd=["true"], output_format="{line}")  # type: ignore[call-arg]
