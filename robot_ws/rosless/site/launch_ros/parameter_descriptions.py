"""Parameters as launch files write them, turned into values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, get_args, get_origin

import yaml
from launch import LaunchContext, Substitution
from launch.substitutions import TRUTHS, resolve

SCALARS = (bool, int, float, str)


@dataclass(eq=False)
class ParameterValue:
    """A value of a given type: bool, int, float, str, or a List of one. None: as YAML reads it."""

    value: Any
    _: KW_ONLY
    value_type: Any = None


def evaluate_parameters(context: LaunchContext, parameters: Mapping[Any, Any]) -> dict[str, Any]:
    """Flat: nested dictionaries become names with dots."""
    found: dict[str, Any] = {}
    for key, value in parameters.items():
        name = resolve(context, key)
        if isinstance(value, Mapping):
            below = evaluate_parameters(context, value)
            found |= {f"{name}.{inner}": one for inner, one in below.items()}
        else:
            try:
                found[name] = _evaluate(context, value)
            except (TypeError, ValueError) as error:
                raise TypeError(f"parameter {name}: {error}") from error
    return found


def _evaluate(context: LaunchContext, value: Any) -> Any:
    """Types stay as they are; what is performed is read as YAML, unless ParameterValue says how."""
    wanted = None
    if isinstance(value, ParameterValue):
        value, wanted = value.value, value.value_type
    if _is_text(value):
        return _read(resolve(context, value), wanted)
    if isinstance(value, (list, tuple)):
        value = [
            _read(resolve(context, item)) if isinstance(item, (Substitution, list, tuple)) else item
            for item in value
        ]
        if {type(item) for item in value} == {int, float}:
            value = [float(item) for item in value]
    return _require(value, wanted, value)


def _is_text(value: object) -> bool:
    """Whether it makes one text: a Substitution, or a list of text with at least one in it."""
    if not isinstance(value, (list, tuple)):
        return isinstance(value, Substitution)
    return all(isinstance(item, (str, Substitution)) for item in value) and any(
        isinstance(item, Substitution) for item in value
    )


def _read(text: str, wanted: Any = None) -> Any:
    if wanted is str or (wanted is None and not text):
        return text
    if wanted in (int, float):
        return wanted(text)
    if wanted is bool and text in TRUTHS:
        return TRUTHS[text]
    try:
        return _require(yaml.safe_load(text), wanted, text)
    except yaml.YAMLError as error:
        raise ValueError(
            f"{text!r} is not YAML: {error}. If it is meant to be a str, write it as "
            "ParameterValue(..., value_type=str)"
        ) from error


def _require(value: Any, wanted: Any, written: Any) -> Any:
    """One scalar, or a list that is not empty of one type of them; and what was asked for."""
    items = value if isinstance(value, list) else [value]
    fits = bool(items) and type(items[0]) in SCALARS and len({type(item) for item in items}) == 1
    if wanted is not None:
        (kind,) = get_args(wanted) or (wanted,)
        fits = fits and isinstance(value, get_origin(wanted) or kind) and isinstance(items[0], kind)
    if not fits:
        kinds = "a bool, int, float or str, or a list that is not empty of one of them"
        raise TypeError(f"found {written!r}, wanted {wanted or kinds}")
    return value
