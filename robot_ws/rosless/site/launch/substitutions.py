"""What a launch file writes down now, and launch turns into text later."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .launch_context import LaunchContext

TRUTHS = {"true": True, "1": True, "false": False, "0": False}


class SubstitutionFailure(RuntimeError):
    """It cannot be turned into text here."""


class Substitution:
    def describe(self) -> str:
        return repr(self)

    def perform(self, context: LaunchContext) -> str:
        raise NotImplementedError(f"{type(self).__name__}.perform")


SomeSubstitutionsType = str | Substitution | Iterable[str | Substitution]


class LaunchConfiguration(Substitution):
    def __init__(self, variable_name: SomeSubstitutionsType, *, default: Any = None) -> None:
        self.variable_name, self.default = variable_name, default

    def describe(self) -> str:
        return f"LaunchConfiguration({describe(self.variable_name)})"

    def perform(self, context: LaunchContext) -> str:
        name = resolve(context, self.variable_name)
        if name in context.launch_configurations:
            return context.launch_configurations[name]
        if self.default is None:
            raise SubstitutionFailure(
                f"launch configuration '{name}' does not exist: declare it with "
                "DeclareLaunchArgument before it is used, or give it a default"
            )
        parts = self.default if isinstance(self.default, (list, tuple)) else [self.default]
        return resolve(context, [x if isinstance(x, Substitution) else str(x) for x in parts])


class PythonExpression(Substitution):
    """Runs its text as Python, as ROS 2 does: whoever sets what it is made of runs code here."""

    def __init__(
        self, expression: SomeSubstitutionsType, python_modules: Iterable[str] = ("math",)
    ) -> None:
        self.expression, self.python_modules = expression, tuple(python_modules)

    def describe(self) -> str:
        return f"PythonExpression({describe(self.expression)})"

    def perform(self, context: LaunchContext) -> str:
        names = {name: importlib.import_module(name) for name in self.python_modules}
        known = {**vars(math), **names} if "math" in names else names  # sin as well as math.sin
        return str(eval(resolve(context, self.expression), {}, known))


def _listed(some: SomeSubstitutionsType) -> list[str | Substitution]:
    found = [some] if isinstance(some, (str, Substitution)) else list(some)
    for item in found:
        if not isinstance(item, (str, Substitution)):
            raise TypeError(
                f"{item!r} of type {type(item).__name__} stands where launch wants text: write it "
                "as a str or a Substitution"
            )
    return found


def resolve(context: LaunchContext, some: SomeSubstitutionsType) -> str:
    return "".join(x if isinstance(x, str) else x.perform(context) for x in _listed(some))


def describe(some: SomeSubstitutionsType) -> str:
    return " + ".join(f"'{x}'" if isinstance(x, str) else x.describe() for x in _listed(some))


def number(context: LaunchContext, some: float | SomeSubstitutionsType) -> float:
    return float(some if isinstance(some, (int, float)) else resolve(context, some))


def truth(context: LaunchContext, some: bool | SomeSubstitutionsType) -> bool:
    if isinstance(some, bool):
        return some
    text = resolve(context, some)
    if text.strip().lower() not in TRUTHS:
        raise ValueError(
            f"expected one of [{', '.join(TRUTHS)}] but got '{text}', expanded from "
            f"{describe(some)}"
        )
    return TRUTHS[text.strip().lower()]
