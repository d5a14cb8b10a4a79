"""Substitutions: the text each makes, and why one cannot."""

from __future__ import annotations

import os
import sys

import launch
import pytest
from launch import LaunchContext
from launch import substitutions as subs
from launch.substitutions import EnvironmentVariable, LaunchConfiguration, SubstitutionFailure
from launching import failure, say


@pytest.mark.parametrize(
    ("substitution", "text"),
    [
        (subs.TextSubstitution(text="a"), "a"),
        (LaunchConfiguration("x"), "1"),
        (LaunchConfiguration(["", "x"]), "1"),
        (LaunchConfiguration("none", default="d"), "d"),
        (LaunchConfiguration("none", default=5), "5"),
        (LaunchConfiguration("none", default=["d", LaunchConfiguration("x")]), "d1"),
        (EnvironmentVariable("LAUNCH_TEST"), "there"),
        (EnvironmentVariable("LAUNCH_NONE", default_value="d"), "d"),
        (subs.PathJoinSubstitution(["/a", LaunchConfiguration("x"), "b"]), "/a/1/b"),
        (subs.PythonExpression(["'", LaunchConfiguration("x"), "' == '1'"]), "True"),
        (subs.PythonExpression(["sin(0) + math.cos(0) + ", LaunchConfiguration("x")]), "2.0"),
        (subs.PythonExpression("os.path.basename('/a/b')", ["os"]), "b"),
        (subs.FindExecutable(name="sh"), "/bin/sh"),
        (subs.EqualsSubstitution("True", "1"), "true"),
        (subs.EqualsSubstitution(LaunchConfiguration("x"), 1.0), "true"),
        (subs.EqualsSubstitution("a", "A"), "false"),
        (subs.EqualsSubstitution(None, ""), "true"),
        (subs.NotEqualsSubstitution("a", "A"), "true"),
        (subs.NotEqualsSubstitution("0.30", "0.3"), "false"),
        (subs.AndSubstitution("true", LaunchConfiguration("x")), "true"),
        (subs.AndSubstitution("true", "off"), "false"),
        (subs.OrSubstitution("false", "1"), "true"),
        (subs.OrSubstitution("false", "0"), "false"),
        (subs.NotSubstitution("false"), "true"),
        (subs.Command([sys.executable, " -c 'print(1 + 1)'"]), "2\n"),
        (subs.Command("sh -c 'echo bad >&2; echo good'", on_stderr="ignore"), "good\n"),
        (subs.Command("sh -c 'echo bad >&2'", on_stderr="capture"), "bad\n"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.describe(),
)
def test_substitution(
    substitution: launch.Substitution, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUNCH_TEST", "there")
    context = LaunchContext()
    context.launch_configurations["x"] = "1"
    performed = context.perform_substitution(substitution)
    assert (os.path.realpath(performed) if text == "/bin/sh" else performed) == (
        os.path.realpath(text) if text == "/bin/sh" else text
    )


@pytest.mark.parametrize(
    ("substitution", "reason"),
    [
        (LaunchConfiguration("none"), "launch configuration 'none' does not exist"),
        (EnvironmentVariable("LAUNCH_NONE"), "environment variable 'LAUNCH_NONE' does not exist"),
        (subs.FindExecutable(name="no-such-program"), "executable 'no-such-program' not found"),
        (subs.ThisLaunchFileDir(), "ThisLaunchFileDir used outside of a launch file"),
        (subs.AndSubstitution("true", "maybe"), "'maybe' is not a"),
        (subs.Command("sh -c 'echo why >&2'"), "said: why"),
        (subs.Command("sh -c 'echo why; exit 3'"), "exit code 3 and said: why"),
        (subs.Command("no-such-program"), "'no-such-program' did not start"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.describe(),
)
def test_substitution_that_fails(substitution: launch.Substitution, reason: str) -> None:
    with pytest.raises(SubstitutionFailure, match=reason):
        substitution.perform(LaunchContext())


def test_anonymous_name_is_the_same_at_each_use() -> None:
    context = LaunchContext()
    first, second = (subs.AnonName("cam").perform(context) for _ in range(2))
    assert first == second
    assert first.startswith("cam_")
    assert subs.AnonName("cam").perform(LaunchContext()) != first
    assert first.isidentifier()


def test_what_is_no_text_is_refused() -> None:
    assert "5 of type int stands where launch wants text" in failure(say("a", 5))  # type: ignore[arg-type]
