"""Parameters as launch files write them, turned into values."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, get_args

from launch import LaunchContext, SomeSubstitutionsType, Substitution
from launch.left_out import left_out
from launch.utilities import (
    SCALARS,
    coerce,
    is_substitution,
    resolve,
    uniform,
)


@dataclass(eq=False)
class ParameterValue:
    """A value of a given type: bool, int, float, str, or a List of one. None: as YAML reads it."""

    value: Any
    _: KW_ONLY
    value_type: Any = None

    def evaluate(self, context: LaunchContext) -> Any:
        value, wanted = self.value, self.value_type
        if is_substitution(value):
            return coerce(resolve(context, value), wanted)
        (item,) = get_args(wanted) or (None,)
        if isinstance(value, SCALARS):
            fits = wanted is None or (item is None and isinstance(value, wanted))
        else:
            value = [coerce(resolve(context, x), item) if is_substitution(x) else x for x in value]
            fits = uniform(value) and (wanted is None or isinstance(value[0], item or ()))
        if not fits:
            raise TypeError(f"ParameterValue: value is {value!r}, wanted {wanted or 'one type'}")
        return value


@dataclass(eq=False)
class Parameter:
    """A parameter that goes on the node's command line."""

    name: SomeSubstitutionsType
    value: Any
    _: KW_ONLY
    value_type: Any = None

    def evaluate(self, context: LaunchContext) -> tuple[str, Any]:
        value = ParameterValue(self.value, value_type=self.value_type)
        return resolve(context, self.name), value.evaluate(context)


@dataclass(eq=False)
class ParameterFile:
    param_file: SomeSubstitutionsType | os.PathLike[str]
    _: KW_ONLY
    allow_substs: bool = False

    def evaluate(self, context: LaunchContext) -> Path:
        if self.allow_substs:
            raise NotImplementedError(
                f"ParameterFile({str(self.param_file)!r}): allow_substs, $(...) in a parameter "
                "file, is not in rosless: give what varies in a dictionary of parameters instead"
            )
        if isinstance(self.param_file, os.PathLike):
            return Path(self.param_file)
        return Path(resolve(context, self.param_file))


def evaluate_parameters(context: LaunchContext, parameters: Mapping[Any, Any]) -> dict[str, Any]:
    """Flat: nested dictionaries become names with dots."""
    found: dict[str, Any] = {}
    for key, value in parameters.items():
        name = resolve(context, key)
        if isinstance(value, Mapping):
            below = evaluate_parameters(context, value)
            found |= {f"{name}.{inner}": one for inner, one in below.items()}
        else:
            found[name] = _value(context, name, value)
    return found


def _value(context: LaunchContext, name: str, value: Any) -> Any:
    """Types stay as they are; what is performed is read as YAML, unless ParameterValue says how."""
    if isinstance(value, ParameterValue):
        return value.evaluate(context)
    if isinstance(value, (*SCALARS, bytes)):
        return value
    if is_substitution(value):
        return _performed(context, name, value)
    if not isinstance(value, Sequence):
        raise TypeError(
            f"parameter {name} is {value!r}, wanted a bool, an int, a float, a str, a list of one "
            "of them, a substitution or a ParameterValue"
        )
    items = [
        _performed(context, name, item) if isinstance(item, (Substitution, list, tuple)) else item
        for item in value
    ]
    if {type(item) for item in items} == {int, float}:
        items = [float(item) for item in items]
    if not uniform(items):
        raise TypeError(
            f"parameter {name} is {items!r}, wanted a list that is not empty and whose items are "
            "all bool, all int, all float or all str"
        )
    return items


def _performed(context: LaunchContext, name: str, some: SomeSubstitutionsType) -> Any:
    text = resolve(context, some)
    try:
        return coerce(text)
    except ValueError as error:
        raise TypeError(
            f"parameter {name}: {error}. If it is meant to be a str, write it as "
            "ParameterValue(..., value_type=str)"
        ) from error


__getattr__ = left_out(__name__)
