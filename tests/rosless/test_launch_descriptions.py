"""Launch descriptions: arguments, scopes, conditions, timers, and what is left out."""

from __future__ import annotations

from pathlib import Path

import launch.actions
import launch_ros.actions
import pytest
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    AppendEnvironmentVariable,
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    SetLaunchConfiguration,
    TimerAction,
    UnregisterEventHandler,
    UnsetEnvironmentVariable,
    UnsetLaunchConfiguration,
)
from launch.conditions import (
    IfCondition,
    LaunchConfigurationEquals,
    LaunchConfigurationNotEquals,
    UnlessCondition,
)
from launch.event_handlers import OnExecutionComplete, OnShutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import EnvironmentVariable, LaunchConfiguration
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
        "from launch.substitutions import LaunchConfiguration, ThisLaunchFile, ThisLaunchFileDir\n"
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
            GroupAction([DeclareLaunchArgument("cut off")], forwarding=False),
            include(tmp_path / "none.launch.py"),
        ]
    )
    found = [(a.name, conditional) for a, conditional, _ in description.declarations()]
    assert found == [("outer", False), ("inner", False), ("perhaps", True)]
    arguments = description.get_launch_arguments()
    assert [argument.name for argument in arguments] == ["outer", "inner", "perhaps"]
    assert arguments[0].default_value == "1"


# Scopes -------------------------------------------------------------------------------------------


def test_scoped_group_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCH_TEST", "before")
    tell = say(LaunchConfiguration("x", default="-"), " ", EnvironmentVariable("LAUNCH_TEST"))
    setting = [SetLaunchConfiguration("x", "set"), SetEnvironmentVariable("LAUNCH_TEST", "set")]
    assert heard(GroupAction([*setting, tell]), tell) == ["set set", "- before"]
    assert heard(GroupAction([*setting, tell], scoped=False), tell) == ["set set", "set set"]


def test_group_that_does_not_forward_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCH_TEST", "before")
    told = [LaunchConfiguration(name, default="-") for name in ("x", "y")]
    tell = say(*told, " ", EnvironmentVariable("LAUNCH_TEST"))
    words = heard(
        SetLaunchConfiguration("x", "1"),
        SetEnvironmentVariable("LAUNCH_TEST", "set"),
        GroupAction(
            [tell], forwarding=False, launch_configurations={"y": LaunchConfiguration("x")}
        ),
        tell,
    )
    assert words == ["-1 before", "1- set"]


def test_environment_variables() -> None:
    words = heard(
        AppendEnvironmentVariable("LAUNCH_TEST", "b"),
        AppendEnvironmentVariable("LAUNCH_TEST", "a", prepend=True),
        AppendEnvironmentVariable("LAUNCH_TEST", "c", separator=";"),
        say(EnvironmentVariable("LAUNCH_TEST")),
        UnsetEnvironmentVariable("LAUNCH_TEST"),
        say(EnvironmentVariable("LAUNCH_TEST", default_value="unset")),
        SetLaunchConfiguration("x", "1"),
        UnsetLaunchConfiguration("x"),
        say(LaunchConfiguration("x", default="unset")),
    )
    assert words == ["a:b;c", "unset", "unset"]


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
    assert "missing required argument 'cell'" in text
    assert "given: ['other']" in text
    assert "cell:=value" in text
    given = launch_file(
        tmp_path / "given.launch.py",
        f"IncludeLaunchDescription({str(inner)!r}, launch_arguments=[('cell', 'a')])",
    )
    assert heard(include(given)) == []


def test_launch_file_knows_where_it_is(tmp_path: Path) -> None:
    inner = launch_file(tmp_path / "b" / "inner.launch.py", "LogInfo(msg=ThisLaunchFile())")
    outer = launch_file(
        tmp_path / "a" / "outer.launch.py",
        "LogInfo(msg=ThisLaunchFileDir())",
        f"IncludeLaunchDescription({str(inner)!r})",
        "TimerAction(period=0.0, actions=[LogInfo(msg=['later ', ThisLaunchFileDir()])])",
    )
    here = str(outer.parent)
    assert heard(include(outer)) == [here, str(inner), f"later {here}"]


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
    assert "rosless reads Python launch files" in failure(include(file))


# Conditions, functions, timers --------------------------------------------------------------------


def test_conditions() -> None:
    x = LaunchConfiguration("x")
    words = heard(
        SetLaunchConfiguration("x", "True"),
        say("if", condition=IfCondition(x)),
        say("if not", condition=IfCondition(["0"])),
        say("unless", condition=UnlessCondition("FALSE ")),
        say("unless not", condition=UnlessCondition(x)),
        say("equals", condition=LaunchConfigurationEquals("x", ["Tr", "ue"])),
        say("equals not", condition=LaunchConfigurationNotEquals("x", "True")),
        say("is not set", condition=LaunchConfigurationEquals("y", None)),
        say("is set", condition=LaunchConfigurationNotEquals("x", None)),
    )
    assert words == ["if", "unless", "equals", "is not set", "is set"]


def test_condition_that_is_neither_true_nor_false() -> None:
    text = failure(say("x", condition=IfCondition([LaunchConfiguration("x", default="maybe")])))
    assert "expected one of [true, 1, false, 0] but got 'maybe'" in text
    assert "LaunchConfiguration('x')" in text


def test_opaque_function_returns_what_is_visited_in_its_place() -> None:
    def function(context: LaunchContext, word: str, *, more: str) -> list[LogInfo]:
        context.launch_configurations["x"] = "set"
        return [say(word), say(more, LaunchConfiguration("x"))]

    opaque = OpaqueFunction(function=function, args=["a"], kwargs={"more": "b"})
    assert heard(opaque, say("c")) == ["a", "bset", "c"]
    assert "'text' stands where launch wants an action" in failure(
        OpaqueFunction(function=lambda context: ["text"])  # type: ignore[list-item]
    )


def test_timers_fire_in_their_order_and_end_with_the_launch() -> None:
    words = heard(
        TimerAction(period=0.05, actions=[say("second"), launch.actions.Shutdown()]),
        TimerAction(period=LaunchConfiguration("x", default="0.01"), actions=[say("first")]),
        TimerAction(period=3600.0, actions=[say("never")]),
        RegisterEventHandler(OnShutdown(on_shutdown=[say("ended")])),
    )
    assert words == ["first", "second", "ended"]


def test_timer_can_be_cancelled() -> None:
    timer = TimerAction(period=3600.0, actions=[say("never")])
    assert heard(timer, OpaqueFunction(function=lambda _: timer.cancel()), say("now")) == ["now"]


def test_execution_complete_and_handlers_that_go() -> None:
    timer = TimerAction(period=0.0, actions=[])
    told = say("done")
    first = OnExecutionComplete(target_action=told, on_completion=say("after done"))
    gone = OnExecutionComplete(target_action=timer, on_completion=say("never"))
    words = heard(
        RegisterEventHandler(first),
        RegisterEventHandler(OnExecutionComplete(target_action=timer, on_completion=say("rang"))),
        RegisterEventHandler(gone),
        UnregisterEventHandler(gone),
        told,
        timer,
    )
    assert words == ["done", "after done", "rang"]


def test_handler_that_was_registered_last_comes_first() -> None:
    handlers = [OnShutdown(on_shutdown=say(word)) for word in ("a", "b")]
    assert heard(*(RegisterEventHandler(handler) for handler in handlers)) == ["b", "a"]


# What is left out ---------------------------------------------------------------------------------


def test_what_is_left_out_says_so() -> None:
    for module, name in ((launch, "LaunchIntrospector"), (launch_ros.actions, "LifecycleNode")):
        with pytest.raises(
            NotImplementedError, match=f"{module.__name__}.{name} is not in rosless"
        ):
            getattr(module, name)
    with pytest.raises(ImportError, match=r"launch\.substitutions\.FileContent is not in rosless"):
        from launch.substitutions import FileContent  # noqa: F401
    with pytest.raises(NotImplementedError, match="ExecuteProcess: output_format"):
        launch.actions.ExecuteProcess(cmd=["true"], output_format="{line}")
