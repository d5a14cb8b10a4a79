"""Substitutions: the text each makes, and why one cannot."""

from __future__ import annotations

import pytest
from launch import LaunchContext, Substitution
from launch.substitutions import (
    LaunchConfiguration,
    PythonExpression,
    SubstitutionFailure,
)
from launching import failure, say


@pytest.mark.parametrize(
    ("substitution", "text"),
    [
        (LaunchConfiguration("x"), "1"),
        (LaunchConfiguration(["", "x"]), "1"),
        (LaunchConfiguration("none", default="d"), "d"),
        (LaunchConfiguration("none", default=5), "5"),
        (LaunchConfiguration("none", default=["d", LaunchConfiguration("x")]), "d1"),
        (PythonExpression(["'", LaunchConfiguration("x"), "' == '1'"]), "True"),
        (PythonExpression(["sin(0) + math.cos(0) + ", LaunchConfiguration("x")]), "2.0"),
        (PythonExpression("os.path.basename('/a/b')", ["os"]), "b"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.describe(),
)
def test_substitution(substitution: Substitution, text: str) -> None:
    context = LaunchContext()
    context.launch_configurations["x"] = "1"
    assert substitution.perform(context) == text


def test_configuration_that_is_not_there() -> None:
    with pytest.raises(SubstitutionFailure, match="launch configuration 'none' does not exist"):
        LaunchConfiguration("none").perform(LaunchContext())


def test_what_is_no_text_is_refused() -> None:
    assert "5 of type int stands where launch wants text" in failure(say("a", 5))  # type: ignore[arg-type]
