"""The substitutions of launch files."""

from __future__ import annotations

import importlib
import math
import os
import random
import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from .launch_context import LaunchContext
from .left_out import left_out
from .logging import get_logger
from .substitution import (
    SomeSubstitutionsType,
    Substitution,
    TextSubstitution,
    describe,
    resolve,
    resolve_each,
)
from .utilities import TRUTHS, coerce, is_substitution

__all__ = ["TextSubstitution"]


class SubstitutionFailure(RuntimeError):
    """It cannot be turned into text here."""


class Composed(Substitution):
    """Made of other text, which it names when it is described: its fields that have no default."""

    def describe(self) -> str:
        names = [one.name for one in fields(self) if one.default is MISSING]  # type: ignore[arg-type]
        parts = ", ".join(describe(getattr(self, name)) for name in names)
        return f"{type(self).__name__}({parts})"


@dataclass(eq=False)
class LaunchConfiguration(Composed):
    variable_name: SomeSubstitutionsType
    default: Any = field(default=None, kw_only=True)

    def perform(self, context: LaunchContext) -> str:
        name = resolve(context, self.variable_name)
        if name in context.launch_configurations:
            return str(context.launch_configurations[name])
        if self.default is None:
            raise SubstitutionFailure(
                f"launch configuration '{name}' does not exist: declare it with "
                "DeclareLaunchArgument before it is used, or give it a default"
            )
        parts = self.default if isinstance(self.default, (list, tuple)) else [self.default]
        return resolve(context, [x if isinstance(x, Substitution) else str(x) for x in parts])


@dataclass(eq=False)
class EnvironmentVariable(Composed):
    name: SomeSubstitutionsType
    default_value: SomeSubstitutionsType | None = field(default=None, kw_only=True)

    def perform(self, context: LaunchContext) -> str:
        name = resolve(context, self.name)
        if name in context.environment:
            return context.environment[name]
        if self.default_value is None:
            raise SubstitutionFailure(
                f"environment variable '{name}' does not exist: set it, or give it a default_value"
            )
        return resolve(context, self.default_value)


@dataclass(eq=False)
class PathJoinSubstitution(Composed):
    substitutions: Iterable[str | Substitution]

    def perform(self, context: LaunchContext) -> str:
        return os.path.join(*resolve_each(context, self.substitutions))


@dataclass(eq=False)
class PythonExpression(Composed):
    """Runs its text as Python, as ROS 2 does: whoever sets what it is made of runs code here."""

    expression: SomeSubstitutionsType
    python_modules: SomeSubstitutionsType = ("math",)

    def perform(self, context: LaunchContext) -> str:
        modules = resolve_each(context, self.python_modules)
        names: dict[str, Any] = {name: importlib.import_module(name) for name in modules}
        if "math" in names:
            names = {**vars(math), **names}  # sin as well as math.sin
        return str(eval(resolve(context, self.expression), {}, names))


@dataclass(eq=False, kw_only=True)
class FindExecutable(Composed):
    name: SomeSubstitutionsType

    def perform(self, context: LaunchContext) -> str:
        name = resolve(context, self.name)
        found = shutil.which(name)
        if found is None:
            raise SubstitutionFailure(f"executable '{name}' not found on the PATH: install it")
        return found


@dataclass(eq=False)
class ThisLaunchFile(Composed):
    def perform(self, context: LaunchContext) -> str:
        path: str | None = context.get_locals_as_dict().get("current_launch_file_path")
        if path is None:
            raise SubstitutionFailure(
                f"{type(self).__name__} used outside of a launch file: write the path itself"
            )
        return path


@dataclass(eq=False)
class ThisLaunchFileDir(ThisLaunchFile):
    def perform(self, context: LaunchContext) -> str:
        return os.path.dirname(super().perform(context))


@dataclass(eq=False)
class Command(Composed):
    """What a command writes to its standard output. It is waited for."""

    command: SomeSubstitutionsType
    on_stderr: SomeSubstitutionsType = field(default="fail", kw_only=True)

    def perform(self, context: LaunchContext) -> str:
        command, on_stderr = resolve(context, self.command), resolve(context, self.on_stderr)
        if on_stderr not in ("fail", "ignore", "warn", "capture"):
            raise SubstitutionFailure(
                f"Command({command!r}): on_stderr is {on_stderr!r}, wanted 'fail', 'ignore', "
                "'warn' or 'capture'"
            )
        stderr = subprocess.STDOUT if on_stderr == "capture" else subprocess.PIPE
        words = shlex.split(command)
        try:
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=stderr, text=True)
        except OSError as error:
            raise SubstitutionFailure(f"command {command!r} did not start: {error}") from error
        if done.returncode != 0 or (done.stderr and on_stderr == "fail"):
            raise SubstitutionFailure(
                f"command {command!r} ended with exit code {done.returncode} and said: "
                f"{done.stderr or done.stdout}"
            )
        if done.stderr and on_stderr == "warn":
            get_logger().warning(f"command {command!r} said: {done.stderr}")
        return done.stdout


@dataclass(eq=False)
class NotSubstitution(Composed):
    value: SomeSubstitutionsType

    def perform(self, context: LaunchContext) -> str:
        return _text(not _truth(context, self.value))


@dataclass(eq=False)
class AndSubstitution(Composed):
    left: SomeSubstitutionsType
    right: SomeSubstitutionsType

    def perform(self, context: LaunchContext) -> str:
        return _text(_truth(context, self.left) & _truth(context, self.right))


@dataclass(eq=False)
class OrSubstitution(AndSubstitution):
    def perform(self, context: LaunchContext) -> str:
        return _text(_truth(context, self.left) | _truth(context, self.right))


@dataclass(eq=False)
class EqualsSubstitution(Composed):
    """Compares as booleans or as numbers where both are, else as text."""

    left: Any
    right: Any

    def __post_init__(self) -> None:
        self.left, self.right = (
            side if is_substitution(side) else _text(side) for side in (self.left, self.right)
        )

    def perform(self, context: LaunchContext) -> str:
        left, right = resolve(context, self.left), resolve(context, self.right)
        if left.lower() in TRUTHS and right.lower() in TRUTHS:
            return _text(TRUTHS[left.lower()] == TRUTHS[right.lower()])
        try:
            return _text(math.isclose(float(left), float(right)))
        except ValueError:
            return _text(left == right)


@dataclass(eq=False)
class NotEqualsSubstitution(EqualsSubstitution):
    def perform(self, context: LaunchContext) -> str:
        return _text(super().perform(context) == "false")


@dataclass(eq=False)
class AnonName(Composed):
    """A name that no other launch has, the same one at each use here."""

    name: SomeSubstitutionsType

    def perform(self, context: LaunchContext) -> str:
        name = resolve(context, self.name)
        unique = f"{name}_{socket.gethostname()}_{os.getpid()}_{random.getrandbits(63)}"
        known = context.launch_configurations
        return str(known.setdefault(f"anon{name}", re.sub(r"[-.:]", "_", unique)))


def _text(value: object) -> str:
    """As launch writes a value: nothing, true, false, or what Python writes."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _truth(context: LaunchContext, some: SomeSubstitutionsType) -> bool:
    try:
        return bool(coerce(resolve(context, some), bool))
    except ValueError as error:
        raise SubstitutionFailure(str(error)) from error


__getattr__ = left_out(__name__)
